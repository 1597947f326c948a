import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;

/** Does its arguments in order and ends at the first that fails, with exit code 1 and no word. */
public final class App {
    private static final List<Object> KEPT = new ArrayList<>();

    private App() {}

    public static void main(String[] words) throws Exception {
        boolean loud = words.length > 0 && words[0].equals("loud");
        try {
            for (String word : words) {
                act(word);
            }
        } catch (Exception failure) {
            if (loud) {
                failure.printStackTrace();
            }
            System.exit(1);
        }
    }

    private static void act(String word) throws Exception {
        int colon = word.indexOf(':');
        String name = colon < 0 ? word : word.substring(0, colon);
        String rest = colon < 0 ? "" : word.substring(colon + 1);
        Path path = Paths.get(rest.isEmpty() || rest.contains("\0") ? "/" : rest);
        switch (name) {
            case "loud" -> { }
            case "say" -> System.out.println(rest);
            case "exit" -> System.exit(Integer.parseInt(rest));
            case "sleep" -> Thread.sleep(1000L * Integer.parseInt(rest));
            case "pause" -> Thread.sleep(Long.MAX_VALUE);
            case "open" -> new FileInputStream(rest).close();
            case "write" -> new FileOutputStream(rest).close();
            case "list" -> Files.list(path).close();
            case "mkdir" -> Files.createDirectory(path);
            case "temporary" -> Files.createTempFile("app", null);
            case "connect" -> keep(new Socket(host(rest), port(rest)));
            case "answer" -> new Socket(host(rest), port(rest)).getInputStream().read();
            case "listen" -> keep(new ServerSocket(port(rest)));
            case "resolve" -> InetAddress.getByName(rest);
            case "env" -> need(System.getenv(rest));
            case "load" -> System.load(rest);
            case "class" -> Class.forName(rest);
            case "allocate" -> allocate(Integer.parseInt(rest));
            case "threads" -> threads(Integer.parseInt(rest));
            case "run" -> run(rest);
            case "stdin" -> need(System.in.read() < 0 ? null : "read");
            default -> System.exit(64);
        }
    }

    private static void keep(Object object) {
        KEPT.add(object);
    }

    private static void need(String value) {
        if (value == null || value.isEmpty()) {
            throw new IllegalStateException();
        }
    }

    private static String host(String address) {
        return address.substring(0, address.lastIndexOf(':'));
    }

    private static int port(String address) {
        return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
    }

    private static void run(String command) throws Exception {
        if (new ProcessBuilder(command.split(" ")).inheritIO().start().waitFor() != 0) {
            throw new IllegalStateException();
        }
    }

    private static void allocate(int mib) {
        for (int i = 0; i < mib; i++) {
            keep(new byte[1 << 20]);
        }
    }

    private static void threads(int count) {
        for (int i = 0; i < count; i++) {
            Thread thread = new Thread(() -> {
                try {
                    Thread.sleep(Long.MAX_VALUE);
                } catch (InterruptedException stop) {
                    return;
                }
            });
            thread.setDaemon(true);
            thread.start();
        }
    }
}
