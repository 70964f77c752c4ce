// iot-service-client, unmodified, as a back end: registry, modules, twins, methods, queries, messages, feedback.

import com.google.gson.JsonObject;
import com.microsoft.azure.sdk.iot.service.auth.AuthenticationType;
import com.microsoft.azure.sdk.iot.service.messaging.AcknowledgementType;
import com.microsoft.azure.sdk.iot.service.messaging.DeliveryAcknowledgement;
import com.microsoft.azure.sdk.iot.service.messaging.FeedbackRecord;
import com.microsoft.azure.sdk.iot.service.messaging.FeedbackStatusCode;
import com.microsoft.azure.sdk.iot.service.messaging.IotHubServiceClientProtocol;
import com.microsoft.azure.sdk.iot.service.messaging.Message;
import com.microsoft.azure.sdk.iot.service.messaging.MessageFeedbackProcessorClient;
import com.microsoft.azure.sdk.iot.service.messaging.MessagingClient;
import com.microsoft.azure.sdk.iot.service.messaging.MessagingClientOptions;
import com.microsoft.azure.sdk.iot.service.messaging.MessageFeedbackProcessorClientOptions;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodRequestOptions;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodResponse;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodsClient;
import com.microsoft.azure.sdk.iot.service.query.QueryClient;
import com.microsoft.azure.sdk.iot.service.query.RawQueryResponse;
import com.microsoft.azure.sdk.iot.service.query.TwinQueryResponse;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.registry.DeviceStatus;
import com.microsoft.azure.sdk.iot.service.registry.Module;
import com.microsoft.azure.sdk.iot.service.registry.RegistryClient;
import com.microsoft.azure.sdk.iot.service.twin.Twin;
import com.microsoft.azure.sdk.iot.service.twin.TwinClient;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;

public final class AzureIotService {
    private static final String TEXT =
            Steps.HUB.get("service_connection_string").getAsString().replaceFirst("HostName=[^;]*", "HostName=" + Steps.HOST);
    private static final String DEVICE = "java-service";

    private AzureIotService() {}

    public static void main(String[] arguments) throws Exception {
        JsonObject ports = Steps.HUB.getAsJsonObject("ports");
        if (ports.get("https").getAsInt() == 443) {
            // Its clients over HTTPS take no TLS context: they use the default one.
            SSLContext.setDefault(Steps.trusting());
            registry(new RegistryClient(TEXT));
            twins(new TwinClient(TEXT));
            queries(new QueryClient(TEXT));
            methods(new DirectMethodsClient(TEXT));
            if (ports.get("amqp").getAsInt() == 5671) messages("TLS", IotHubServiceClientProtocol.AMQPS);
            messages("WebSocket", IotHubServiceClientProtocol.AMQPS_WS);
            removal(new RegistryClient(TEXT));
        }
        System.exit(0);
    }

    private static void registry(RegistryClient registry) {
        Steps.step("registry: create a device", () -> {
            Device made = registry.addDevice(new Device(DEVICE));
            Steps.same(List.of(made.getDeviceId(), made.getStatus()), List.of(DEVICE, DeviceStatus.Enabled));
            Steps.same(made.getPrimaryKey().isEmpty(), false);
        });
        Steps.step("registry: create a device with thumbprints", () -> {
            Device device = new Device(DEVICE + "-x509", AuthenticationType.SELF_SIGNED);
            device.setThumbprint("A".repeat(40), "B".repeat(40));
            Device made = registry.addDevice(device);
            Steps.same(made.getAuthenticationType(), AuthenticationType.SELF_SIGNED);
            Steps.same(made.getSecondaryThumbprint(), "B".repeat(40));
        });
        Steps.step("registry: the same device twice is refused", () ->
                Steps.refused(() -> registry.addDevice(new Device(DEVICE)), "AlreadyExists"));
        Steps.step("registry: update a device", () -> {
            Device device = registry.getDevice(DEVICE);
            device.setStatus(DeviceStatus.Disabled);
            Steps.same(registry.updateDevice(device).getStatus(), DeviceStatus.Disabled);
            device = registry.getDevice(DEVICE);
            device.setStatus(DeviceStatus.Enabled);
            Steps.same(registry.updateDevice(device).getStatus(), DeviceStatus.Enabled);
        });
        Steps.step("registry: a module", () -> {
            Module made = registry.addModule(new Module(DEVICE, "m-1"));
            Steps.same(List.of(made.getDeviceId(), made.getId()), List.of(DEVICE, "m-1"));
            List<String> found = new ArrayList<>();
            for (Module module : registry.getModulesOnDevice(DEVICE)) found.add(module.getId());
            Steps.same(found, List.of("m-1"));
            registry.removeModule(DEVICE, "m-1");
        });
        Steps.step("registry: statistics", () -> Steps.same(registry.getStatistics().getTotalDeviceCount() >= 2, true));
        Steps.step("registry: a device that is not there", () ->
                Steps.refused(() -> registry.getDevice("nobody"), "NotFound"));
        Steps.step("registry: a wrong key is refused", () -> {
            RegistryClient wrong = new RegistryClient(TEXT.replaceFirst("SharedAccessKey=[^;]*", "SharedAccessKey=d3Jvbmc="));
            Steps.refused(() -> wrong.getDevice(DEVICE), "Unauthorized");
        });
    }

    private static void twins(TwinClient twins) {
        Steps.step("twin: patch tags and desired properties", () -> {
            Twin twin = new Twin(DEVICE);
            twin.getTags().put("room", "kitchen");
            twin.getDesiredProperties().put("rate", Map.of("value", 7));
            Twin found = twins.patch(twin);
            Steps.same(found.getTags().get("room"), "kitchen");
            Steps.same(found.getDesiredProperties().getVersion(), 2);
        });
        Steps.step("twin: read", () -> {
            Twin found = twins.get(DEVICE);
            Object value = ((Map<?, ?>) found.getDesiredProperties().get("rate")).get("value");
            Steps.same(((Number) value).intValue(), 7);
            Steps.same(List.of(found.getConnectionState().toLowerCase(), found.getVersion() > 1), List.of("disconnected", true));
        });
        Steps.step("twin: replace", () -> {
            Twin twin = twins.get(DEVICE);
            twin.getTags().clear();
            twin.getTags().put("floor", 2);
            Twin found = twins.replace(twin);
            Steps.same(found.getTags().get("room"), null);
            Steps.same(((Number) found.getTags().get("floor")).intValue(), 2);
        });
    }

    private static void queries(QueryClient queries) {
        Steps.step("query: twins", () -> {
            TwinQueryResponse found = queries.queryTwins("SELECT * FROM devices WHERE deviceId = '" + DEVICE + "'");
            Steps.same(found.hasNext(), true);
            Steps.same(found.next().getDeviceId(), DEVICE);
            Steps.same(found.hasNext(), false);
        });
        Steps.step("query: columns", () -> {
            RawQueryResponse found = queries.queryRaw("SELECT COUNT() AS n FROM devices WHERE deviceId = '" + DEVICE + "'");
            Steps.same(Steps.json(found.next()), Steps.json("{'n': 1}"));
        });
        Steps.step("query: a mistake is refused", () ->
                Steps.refused(() -> queries.queryTwins("SELECT * FROM nothing"), "BadFormat"));
    }

    private static void methods(DirectMethodsClient methods) {
        Steps.step("method: a device that is not online", () ->
                // By itself the package lets the hub wait 200 seconds for the device, and itself 24 for the hub.
                Steps.refused(() -> methods.invoke(DEVICE, "turn", timeouts(1).build()), "NotFound"));
        Steps.step("method: with payload", () -> {
            Steps.ask("connect", "identity", DEVICE, "key", new RegistryClient(TEXT).getDevice(DEVICE).getPrimaryKey());
            DirectMethodResponse answer = methods.invoke(DEVICE, "turn", timeouts(10).payload(Map.of("to", "ü")).build());
            JsonObject said = answer.getPayloadAsJsonElement().getAsJsonObject();
            Steps.same(Steps.json(said.get("body").getAsString()), Steps.json("{'to': 'ü'}"));
        });
        Steps.step("method: without payload", () -> {
            DirectMethodResponse answer = methods.invoke(DEVICE, "stop");
            // The package writes null where it is given none.
            Steps.same(answer.getPayloadAsJsonElement(), Steps.json("{'method': 'stop', 'body': 'null'}"));
        });
    }

    private static DirectMethodRequestOptions.DirectMethodRequestOptionsBuilder timeouts(int seconds) {
        return DirectMethodRequestOptions.builder().methodResponseTimeoutSeconds(10).methodConnectTimeoutSeconds(seconds);
    }

    private static void messages(String way, IotHubServiceClientProtocol protocol) {
        BlockingQueue<FeedbackRecord> records = new LinkedBlockingQueue<>();
        Steps.step(way + ": cloud-to-device with every property", () -> {
            MessagingClientOptions options = MessagingClientOptions.builder().sslContext(Steps.trusting()).build();
            MessagingClient client = new MessagingClient(TEXT, protocol, options);
            client.open();
            Message message = new Message("ö " + way);
            message.setMessageId("m 1 " + way);
            message.setCorrelationId("c/1");
            message.setUserId("u&1");
            message.setDeliveryAcknowledgement(DeliveryAcknowledgement.Full);
            message.getProperties().put("a b", "c=d&e/ü");
            client.send(DEVICE, message);
            client.close();
            JsonObject found = Steps.ask("message", "identity", DEVICE).getAsJsonObject();
            Steps.same(found.get("body").getAsString(), "ö " + way);
            JsonObject bag = found.getAsJsonObject("bag");
            List<String> values = new ArrayList<>();
            for (String name : List.of("$.mid", "$.cid", "$.uid", "a b", "iothub-ack")) {
                values.add(bag.has(name) ? bag.get(name).getAsString() : null);
            }
            Steps.same(values, List.of("m 1 " + way, "c/1", "u&1", "c=d&e/ü", "full"));
        });
        Steps.step(way + ": feedback", () -> {
            MessageFeedbackProcessorClientOptions options =
                    MessageFeedbackProcessorClientOptions.builder().sslContext(Steps.trusting()).build();
            MessageFeedbackProcessorClient client = new MessageFeedbackProcessorClient(TEXT, protocol, batch -> {
                records.addAll(batch.getRecords());
                return AcknowledgementType.COMPLETE;
            }, options);
            client.start();
            FeedbackRecord record;
            do {
                record = records.poll(30, TimeUnit.SECONDS);
            } while (!record.getOriginalMessageId().equals("m 1 " + way));
            client.stop();
            Steps.same(List.of(record.getDeviceId(), record.getStatusCode()), List.of(DEVICE, FeedbackStatusCode.success));
        });
        Steps.step(way + ": a device that is not there", () -> {
            MessagingClientOptions options = MessagingClientOptions.builder().sslContext(Steps.trusting()).build();
            MessagingClient client = new MessagingClient(TEXT, protocol, options);
            client.open();
            Steps.refused(() -> client.send("nobody", new Message("lost")), "NotFound");
            client.close();
        });
    }

    private static void removal(RegistryClient registry) {
        Steps.step("registry: delete a device", () -> {
            Steps.ask("disconnect", "identity", DEVICE);
            registry.removeDevice(DEVICE);
            Steps.refused(() -> registry.getDevice(DEVICE), "NotFound");
        });
    }
}
