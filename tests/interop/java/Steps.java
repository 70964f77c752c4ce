// A script's named steps, one JSON line for each, and its questions to the test that runs it.

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

public final class Steps {
    // Seconds that one step may take.
    public static final int PATIENCE = 60;

    // What the emulator's ready file says.
    public static final JsonObject HUB = JsonParser.parseString(System.getenv("INTEROP_HUB")).getAsJsonObject();

    // The package takes no name without a dot.
    public static final String HOST = "emulator.azure-devices.net";

    private static final Gson GSON = new Gson();
    private static final PrintStream LINES = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    private static final BufferedReader ANSWERS = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    private static final ExecutorService POOL = Executors.newCachedThreadPool(Steps::daemon);
    private static int numbers = 0;

    private Steps() {}

    public interface Act {
        void run() throws Exception;
    }

    // Do what the function does and print how that went; an error ends the step, not the script.
    public static void step(String name, Act act) {
        long started = System.nanoTime();
        String detail = "";
        Future<?> doing = POOL.submit(() -> {
            act.run();
            return null;
        });
        try {
            doing.get(PATIENCE, TimeUnit.SECONDS);
        } catch (TimeoutException late) {
            doing.cancel(true);
            detail = "late: after " + PATIENCE + " seconds";
        } catch (Exception error) {
            detail = said(error.getCause() == null ? error : error.getCause());
        }
        JsonObject line = new JsonObject();
        line.addProperty("step", name);
        line.addProperty("ok", detail.isEmpty());
        line.addProperty("detail", detail);
        line.addProperty("seconds", (System.nanoTime() - started) / 1e9);
        LINES.println(line);
    }

    // Let the other end of the hub, played by the test, do something; details are names and values in turn.
    public static synchronized JsonElement ask(String question, Object... details) throws IOException {
        JsonObject with = new JsonObject();
        for (int at = 0; at < details.length; at += 2) with.add((String) details[at], GSON.toJsonTree(details[at + 1]));
        int number = ++numbers;
        JsonObject line = new JsonObject();
        line.addProperty("ask", question);
        line.add("with", with);
        line.addProperty("number", number);
        LINES.println(line);
        JsonObject answer;
        do {
            answer = JsonParser.parseString(ANSWERS.readLine()).getAsJsonObject();
        } while (answer.get("number").getAsInt() != number);
        if (answer.has("failed")) throw new AssertionError(answer.get("failed").getAsString());
        return answer.get("answer");
    }

    // Compare whole values; the message of the error shows both.
    public static void same(Object found, Object expected) {
        if (!Objects.equals(found, expected)) throw new AssertionError(found + " is not " + expected);
    }

    // Demand that an act fails, and that its error or one of its causes says so.
    public static void refused(Act act, String expected) {
        try {
            act.run();
        } catch (Exception error) {
            if (!said(error).contains(expected)) throw new AssertionError(said(error) + " is not " + expected);
            return;
        }
        throw new AssertionError("was not refused as " + expected);
    }

    public static JsonElement json(String text) {
        return JsonParser.parseString(text);
    }

    // Return a TLS context that trusts the hub's authority alone.
    public static SSLContext trusting() throws Exception {
        return context(null);
    }

    // Return one that shows a certificate as well; the files are PEM, the key is of an elliptic curve.
    public static SSLContext showing(Path certificate, Path key) throws Exception {
        String text = Files.readString(key).replaceAll("-----[A-Z ]+-----|\\s", "");
        PrivateKey secret = KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(text)));
        KeyStore store = empty();
        store.setKeyEntry("device", secret, new char[0], new Certificate[] {certificate(certificate)});
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, new char[0]);
        return context(keys);
    }

    private static SSLContext context(KeyManagerFactory keys) throws Exception {
        KeyStore store = empty();
        store.setCertificateEntry("hub", certificate(Path.of(HUB.get("ca_file").getAsString())));
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLSv1.2");
        context.init(keys == null ? null : keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static KeyStore empty() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private static Certificate certificate(Path path) throws Exception {
        try (InputStream file = new FileInputStream(path.toFile())) {
            return CertificateFactory.getInstance("X.509").generateCertificate(file);
        }
    }

    private static String said(Throwable error) {
        StringBuilder text = new StringBuilder();
        Throwable last = error;
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            text.append(text.length() == 0 ? "" : " <- ").append(cause);
            last = cause;
        }
        Arrays.stream(last.getStackTrace()).limit(3).forEach(place -> text.append(" at ").append(place));
        return text.substring(0, Math.min(text.length(), 1500));
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        return thread;
    }
}
