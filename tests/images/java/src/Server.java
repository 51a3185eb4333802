import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Answers with text that needs the class library's data: formats, zones and a cipher provider. */
public final class Server {
    public static void main(String[] arguments) throws Exception {
        Map<String, Integer> visits = new TreeMap<>(Map.of("Rome", 7, "Oslo", 5));
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec("key".getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        byte[] answer = String.format(Locale.GERMANY, "%s %,d %s %02x%n", visits, 1234567,
                Instant.parse("2024-07-01T12:00:00Z").atZone(ZoneId.of("Europe/Berlin")).toOffsetDateTime(),
                mac.doFinal("text".getBytes(StandardCharsets.UTF_8))[0]).getBytes(StandardCharsets.UTF_8);
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
    }
}
