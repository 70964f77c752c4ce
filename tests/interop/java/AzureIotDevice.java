// iot-device-client, unmodified, as devices and modules: MQTT and WebSocket, connection string, SAS and X.509.

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.microsoft.azure.sdk.iot.device.ClientOptions;
import com.microsoft.azure.sdk.iot.device.ConnectionStatusChangeContext;
import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.InternalClient;
import com.microsoft.azure.sdk.iot.device.IotHubClientProtocol;
import com.microsoft.azure.sdk.iot.device.IotHubMessageResult;
import com.microsoft.azure.sdk.iot.device.IotHubStatusCode;
import com.microsoft.azure.sdk.iot.device.Message;
import com.microsoft.azure.sdk.iot.device.ModuleClient;
import com.microsoft.azure.sdk.iot.device.exceptions.IotHubClientException;
import com.microsoft.azure.sdk.iot.device.transport.IotHubConnectionStatus;
import com.microsoft.azure.sdk.iot.device.transport.NoRetry;
import com.microsoft.azure.sdk.iot.device.twin.DirectMethodPayload;
import com.microsoft.azure.sdk.iot.device.twin.DirectMethodResponse;
import com.microsoft.azure.sdk.iot.device.twin.Twin;
import com.microsoft.azure.sdk.iot.device.twin.TwinCollection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

public final class AzureIotDevice {
    private static final Map<String, IotHubClientProtocol> TRANSPORTS =
            Map.of("MQTT", IotHubClientProtocol.MQTT, "WebSocket", IotHubClientProtocol.MQTT_WS);
    private static final int WAIT = Steps.PATIENCE / 2;
    // Milliseconds until a request for the twin counts as unanswered.
    private static final int ANSWER = 10000;

    private final String transport;
    private final String way;
    private final String identity;
    private final BlockingQueue<IotHubConnectionStatus> states = new LinkedBlockingQueue<>();
    private InternalClient client;
    private volatile int tokens = 0;

    private AzureIotDevice(String transport, String kind, String name) {
        this.transport = transport;
        this.way = transport + " " + kind;
        this.identity = name;
    }

    public static void main(String[] arguments) throws IOException {
        if (Steps.HUB.has("idle")) {
            idle();
            System.exit(0);
        }
        for (String transport : List.of("MQTT", "WebSocket")) {
            int port = Steps.HUB.getAsJsonObject("ports").get(transport.equals("MQTT") ? "mqtt" : "https").getAsInt();
            if (port != 8883 && port != 443) continue;
            fullRound(new AzureIotDevice(transport, "device by key", "java-" + transport + "-key"));
            fullRound(new AzureIotDevice(transport, "module by key", "java-" + transport + "-of-module/m-1"));
            byCertificate(new AzureIotDevice(transport, "device by certificate", "java-" + transport + "-certificate"));
            byToken(new AzureIotDevice(transport, "device by token", "java-" + transport + "-token"));
            String colons = "00:33:44:55:66:" + (transport.equals("MQTT") ? "01" : "02");
            withColons(new AzureIotDevice(transport, "device with colons in its id", colons));
            refusal(new AzureIotDevice(transport, "device by a wrong key", "java-" + transport + "-wrong"));
        }
        System.exit(0);
    }

    private static void fullRound(AzureIotDevice it) {
        boolean isModule = it.identity.contains("/");
        it.connect(it::byKey);
        it.telemetry("sas");
        if (!isModule) it.cloudToDevice();
        it.twin();
        it.answerMethods();
        it.methods("");
        it.drop();
        it.methods(" after a drop");
        it.disconnect();
    }

    private static void byCertificate(AzureIotDevice it) {
        it.connect(() -> {
            JsonObject made = it.create("certificate");
            Path certificate = Path.of(made.get("certificate").getAsString());
            Path key = Path.of(made.get("key").getAsString());
            ClientOptions options = ClientOptions.builder().sslContext(Steps.showing(certificate, key)).build();
            return new DeviceClient(it.text("x509=true"), TRANSPORTS.get(it.transport), options);
        });
        it.telemetry("x509Certificate");
        it.disconnect();
    }

    private static void byToken(AzureIotDevice it) {
        it.connect(() -> {
            it.create("key");
            ClientOptions options = ClientOptions.builder().sslContext(Steps.trusting()).build();
            return new DeviceClient(Steps.HOST, it.identity, it::nextToken, TRANSPORTS.get(it.transport), options);
        });
        it.telemetry("sas");
        int before = it.tokens;
        it.drop();
        Steps.step(it.way + ": shows another token after a drop", () -> Steps.same(it.tokens > before, true));
        it.disconnect();
    }

    // An id as firmware makes it of its network address.
    private static void withColons(AzureIotDevice it) {
        it.connect(it::byKey);
        it.telemetry("sas");
        it.cloudToDevice();
        it.answerMethods();
        it.methods("");
        it.disconnect();
    }

    private static void refusal(AzureIotDevice it) {
        Steps.step(it.way + ": is refused", () -> {
            it.create("key");
            String wrong = Base64.getEncoder().encodeToString("wrong key".getBytes());
            ClientOptions options = ClientOptions.builder().sslContext(Steps.trusting()).build();
            it.client = new DeviceClient(it.text("SharedAccessKey=" + wrong), TRANSPORTS.get(it.transport), options);
            it.client.setRetryPolicy(new NoRetry());
            Steps.refused(() -> it.client.open(false), "MqttUnauthorizedException");
        });
    }

    private static void idle() throws IOException {
        AzureIotDevice it = new AzureIotDevice("MQTT", "idle", "java-idle");
        Steps.step("connect", () -> {
            it.client = it.byKey();
            it.client.open(false);
            it.client.subscribeToMethods(AzureIotDevice::answer, null);
        });
        // The silence outlasts a step's patience.
        JsonArray states = Steps.ask("silence", "identity", it.identity, "seconds", Steps.HUB.get("idle")).getAsJsonArray();
        Steps.step("stays connected through the silence, and answers a method", () -> {
            Steps.same(states.get(1), states.get(0));
            JsonElement result = Steps.ask("method", "identity", it.identity, "name", "turn", "payload", 1);
            Steps.same(result.getAsJsonObject().get("status").getAsInt(), 207);
        });
    }

    private interface Maker {
        InternalClient make() throws Exception;
    }

    private void connect(Maker maker) {
        Steps.step(way + ": connect", () -> {
            client = maker.make();
            client.setConnectionStatusChangeCallback(this::changed, null);
            client.open(false);
            await(IotHubConnectionStatus.CONNECTED);
        });
    }

    private void changed(ConnectionStatusChangeContext change) {
        states.add(change.getNewStatus());
    }

    private void await(IotHubConnectionStatus wanted) throws InterruptedException {
        IotHubConnectionStatus found;
        do {
            found = states.poll(Steps.PATIENCE, TimeUnit.SECONDS);
            if (found == null) throw new AssertionError("never " + wanted);
        } while (found != wanted);
    }

    // The package now and then misses an answer that is on the wire: then its user asks again.
    private static <T> T answered(Callable<T> request) throws Exception {
        try {
            return request.call();
        } catch (IotHubClientException missed) {
            if (missed.getStatusCode() != IotHubStatusCode.DEVICE_OPERATION_TIMED_OUT) throw missed;
            return request.call();
        }
    }

    private JsonObject create(String by) throws Exception {
        if (identity.contains("/")) Steps.ask("create", "identity", identity.split("/")[0]);
        return Steps.ask("create", "identity", identity, "by", by).getAsJsonObject();
    }

    private String text(String credential) {
        String[] names = identity.split("/");
        String module = names.length == 2 ? ";ModuleId=" + names[1] : "";
        return "HostName=" + Steps.HOST + ";DeviceId=" + names[0] + module + ";" + credential;
    }

    // The user's side of a token's renewal: the package asks for one whenever it connects.
    private char[] nextToken() {
        try {
            tokens += 1;
            return Steps.ask("token", "identity", identity, "seconds", 3600 + tokens, "host", Steps.HOST).getAsString().toCharArray();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private InternalClient byKey() throws Exception {
        String text = text("SharedAccessKey=" + create("key").get("key").getAsString());
        ClientOptions options = ClientOptions.builder().sslContext(Steps.trusting()).build();
        if (identity.contains("/")) return new ModuleClient(text, TRANSPORTS.get(transport), options);
        return new DeviceClient(text, TRANSPORTS.get(transport), options);
    }

    private void telemetry(String type) {
        Steps.step(way + ": telemetry with every property", () -> {
            Message message = new Message("é " + way);
            message.setMessageId("m 1");
            message.setCorrelationId("c/1");
            message.setUserId("u&1");
            message.setContentType("application/json");
            message.setContentEncoding("utf-8");
            message.setProperty("alarm", "yes");
            message.setProperty("tag", "a=b&c d/e+f%");
            client.sendEvent(message);
            JsonObject event = Steps.ask("telemetry", "identity", identity, "body", "é " + way).getAsJsonObject();
            JsonObject system = event.getAsJsonObject("system");
            List<String> found = new ArrayList<>();
            for (String name : List.of("message-id", "correlation-id", "user-id", "content-type", "content-encoding")) {
                found.add(system.has(name) ? system.get(name).getAsString() : null);
            }
            Steps.same(found, List.of("m 1", "c/1", "u&1", "application/json", "utf-8"));
            // The package names its sender in each message, which the back end sees as a property like others.
            String[] names = identity.split("/");
            JsonObject properties = Steps.json("{'alarm': 'yes', 'tag': 'a=b&c d/e+f%'}").getAsJsonObject();
            properties.addProperty("$.cdid", names[0]);
            if (names.length == 2) properties.addProperty("$.cmid", names[1]);
            Steps.same(event.getAsJsonObject("properties"), properties);
            JsonObject method = Steps.json(system.get("iothub-connection-auth-method").getAsString()).getAsJsonObject();
            Steps.same(method.get("type").getAsString(), type);
        });
    }

    private void cloudToDevice() {
        BlockingQueue<Message> messages = new LinkedBlockingQueue<>();
        Steps.step(way + ": cloud-to-device with every property", () -> {
            ((DeviceClient) client).setMessageCallback((message, context) -> {
                messages.add(message);
                return IotHubMessageResult.COMPLETE;
            }, null);
            Steps.ask("cloud_to_device", "identity", identity, "body", "ö", "properties", Map.of("a b", "c=d&e/ü"),
                    "message_id", "m 2", "correlation_id", "c/2", "user_id", "u&2", "content_type", "text/plain",
                    "content_encoding", "utf-8");
            Message message = messages.poll(WAIT, TimeUnit.SECONDS);
            Steps.same(new String(message.getBytes(), "UTF-8"), "ö");
            // The package drops the id of the user.
            Steps.same(
                    Arrays.asList(message.getMessageId(), message.getCorrelationId(), message.getUserId(), message.getContentType(),
                            message.getContentEncoding()),
                    Arrays.asList("m 2", "c/2", null, "text/plain", "utf-8"));
            Steps.same(message.getProperty("a b"), "c=d&e/ü");
        });
    }

    private void twin() {
        BlockingQueue<Twin> patches = new LinkedBlockingQueue<>();
        Steps.step(way + ": twin get", () -> {
            client.subscribeToDesiredProperties((twin, context) -> patches.add(twin), null);
            Twin twin = answered(() -> client.getTwin(ANSWER));
            Steps.same(List.of(twin.getDesiredProperties().getVersion(), twin.getReportedProperties().getVersion()), List.of(1, 1));
        });
        Steps.step(way + ": twin reported", () -> {
            TwinCollection reported = new TwinCollection();
            reported.put("speed", Map.of("now", 5, "unit", "m/s"));
            Steps.same(answered(() -> client.updateReportedProperties(reported, ANSWER)).getVersion() > 1, true);
            JsonObject stored = Steps.ask("twin", "identity", identity).getAsJsonObject();
            JsonElement found = stored.getAsJsonObject("properties").getAsJsonObject("reported").get("speed");
            Steps.same(found, Steps.json("{'now': 5, 'unit': 'm/s'}"));
        });
        Steps.step(way + ": twin desired", () -> {
            Steps.ask("desire", "identity", identity, "desired", Map.of("rate", 7));
            TwinCollection patch = patches.poll(WAIT, TimeUnit.SECONDS).getDesiredProperties();
            Steps.same(List.of(((Number) patch.get("rate")).intValue(), patch.getVersion()), List.of(7, 2));
        });
    }

    private static DirectMethodResponse answer(String name, DirectMethodPayload payload, Object context) {
        JsonObject answer = new JsonObject();
        answer.addProperty("name", name);
        answer.add("payload", payload.getPayloadAsJsonElement());
        return new DirectMethodResponse(207, answer);
    }

    private void answerMethods() {
        Steps.step(way + ": subscribe to methods", () -> client.subscribeToMethods(AzureIotDevice::answer, null));
    }

    private void methods(String when) {
        Steps.step(way + ": method with payload" + when, () -> {
            JsonElement result = Steps.ask("method", "identity", identity, "name", "turn", "payload", Map.of("to", List.of("ü", 1)));
            Steps.same(result, Steps.json("{'status': 207, 'payload': {'name': 'turn', 'payload': {'to': ['ü', 1]}}}"));
        });
        Steps.step(way + ": method without payload" + when, () -> {
            JsonElement result = Steps.ask("method", "identity", identity, "name", "stop");
            // The package makes an object of an empty body.
            Steps.same(result, Steps.json("{'status': 207, 'payload': {'name': 'stop', 'payload': {}}}"));
        });
    }

    private void drop() {
        Steps.step(way + ": reconnect after a drop", () -> {
            Steps.ask("drop", "identity", identity);
            await(IotHubConnectionStatus.DISCONNECTED_RETRYING);
            await(IotHubConnectionStatus.CONNECTED);
            client.sendEvent(new Message("again " + way));
            Steps.ask("telemetry", "identity", identity, "body", "again " + way);
        });
    }

    private void disconnect() {
        Steps.step(way + ": disconnect", () -> {
            client.close();
            await(IotHubConnectionStatus.DISCONNECTED);
        });
    }
}
