import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

/** Serves the wire protocol of MongoDB from memory, on the port that is given, until it is ended. */
class Server {
  public static void main(String[] arguments) {
    MemoryBackend backend = new MemoryBackend();
    backend.version(new Version());
    MongoServer server = new MongoServer(backend);
    // Change streams are read from the oplog.
    server.enableOplog();
    server.bind("127.0.0.1", Integer.parseInt(arguments[0]));
    System.out.println(server.getConnectionString() + "/?directConnection=true");
  }

  /** The oldest that the Node driver talks to. The server itself goes up to wire version 8, and does as well. */
  static class Version implements MongoVersion {
    @Override
    public List<Integer> getVersionArray() {
      return List.of(4, 4, 0);
    }

    @Override
    public int getWireVersion() {
      return 9;
    }
  }
}
