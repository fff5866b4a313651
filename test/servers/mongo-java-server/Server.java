import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.backend.memory.MemoryCollection;
import de.bwaldvogel.mongo.backend.memory.MemoryDatabase;
import de.bwaldvogel.mongo.backend.memory.index.MemoryUniqueIndex;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.oplog.CollectionBackedOplog;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Stream;

/** Serves the wire protocol of MongoDB from memory, on the port that is given, until it is ended. */
class Server {
  /** Each serves some connections, and may wait for one of them: so many that in tests no two share one. */
  private static final int THREADS = 256;

  public static void main(String[] arguments) {
    MemoryBackend backend = new Backend();
    backend.version(new Version());
    MongoServer server = new MongoServer(backend);
    // Change streams are read from the oplog.
    server.enableOplog();
    server.bind(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 1, THREADS);
    System.out.println(server.getConnectionString() + "/?directConnection=true");
  }

  /**
   * Has a change stream wait for what comes, as MongoDB does. The server itself answers at once that there is nothing: a
   * driver asks again, thousands of times a second, and keeps a core busy for each stream.
   */
  static class Backend extends MemoryBackend {
    /** MongoDB waits for a second; here that could hold up a connection that shares the thread. */
    private static final int WAIT_MS = 100;

    private Oplog entries;

    @Override
    public MemoryDatabase openOrCreateDatabase(String name) {
      return new Database(name, getCursorRegistry());
    }

    @Override
    @SuppressWarnings("unchecked") // The type of a collection's positions, which the oplog does not use.
    protected CollectionBackedOplog createOplog() {
      entries = new Oplog(this, getCursorRegistry());
      MongoCollection<Document> untyped = (MongoCollection<Document>) (MongoCollection<?>) entries;
      return new CollectionBackedOplog(this, untyped, getCursorRegistry());
    }

    @Override
    protected Document handleGetMore(String database, String command, Document query) {
      long until = System.nanoTime() + WAIT_MS * 1_000_000L;
      for (; ; ) {
        long seen = entries.count;
        Document answer = super.handleGetMore(database, command, query);
        long left = (until - System.nanoTime()) / 1_000_000;
        if (left <= 0 || !isEmptyAndOpen((Document) answer.get("cursor"))) return answer;
        entries.awaitMoreThan(seen, left);
      }
    }

    private static boolean isEmptyAndOpen(Document cursor) {
      return cursor != null
          && ((List<?>) cursor.get("nextBatch")).isEmpty()
          && ((Number) cursor.get("id")).longValue() != 0;
    }
  }

  /** Finds a range of ids by an index. The server itself looks through the whole collection, and so a tail takes as long. */
  static class Database extends MemoryDatabase {
    Database(String name, CursorRegistry cursors) {
      super(name, cursors);
    }

    @Override
    protected Index<Integer> openOrCreateUniqueIndex(
        String collection, String name, List<IndexKey> keys, boolean sparse) {
      return keys.size() == 1 && keys.get(0).getKey().equals("_id")
          ? new OrderedIds(name, keys, sparse)
          : super.openOrCreateUniqueIndex(collection, name, keys, sparse);
    }
  }

  /** The index of ids, those that are strings in order. */
  static class OrderedIds extends MemoryUniqueIndex {
    private static final Set<String> BOUNDS = Set.of("$gt", "$lte");

    private final ConcurrentSkipListMap<String, Integer> strings = new ConcurrentSkipListMap<>();

    OrderedIds(String name, List<IndexKey> keys, boolean sparse) {
      super(name, keys, sparse);
    }

    @Override
    protected boolean putKeyPosition(KeyValue key, Integer position) {
      if (key.get(0) instanceof String id) strings.put(id, position);
      return super.putKeyPosition(key, position);
    }

    @Override
    protected Integer removeDocument(KeyValue key) {
      if (key.get(0) instanceof String id) strings.remove(id);
      return super.removeDocument(key);
    }

    @Override
    public synchronized boolean canHandle(Document query) {
      return isRange(query) || super.canHandle(query);
    }

    @Override
    public synchronized Iterable<Integer> getPositions(Document query) {
      if (!isRange(query)) return super.getPositions(query);
      Document bounds = (Document) query.get("_id");
      String after = (String) bounds.get("$gt");
      String upTo = (String) bounds.get("$lte");
      if (after.compareTo(upTo) > 0) return List.of();
      return new ArrayList<>(strings.subMap(after, false, upTo, true).values());
    }

    private static boolean isRange(Document query) {
      return query.keySet().equals(Set.of("_id"))
          && query.get("_id") instanceof Document bounds
          && bounds.keySet().equals(BOUNDS)
          && bounds.values().stream().allMatch(String.class::isInstance);
    }
  }

  /** The newest entries: whoever looks for more looks through all of them, and the server itself keeps all there ever were. */
  static class Oplog extends MemoryCollection {
    private static final int KEPT = 1_000;

    private final ArrayDeque<Document> newest = new ArrayDeque<>();
    /** How many have been added. */
    volatile long count = 0;

    Oplog(MemoryBackend backend, CursorRegistry cursors) {
      super(backend.resolveDatabase("local"), "oplog.rs", CollectionOptions.withoutIdField(), cursors);
    }

    @Override
    public synchronized void addDocument(Document entry) {
      newest.add(entry);
      if (newest.size() > KEPT) newest.removeFirst();
      count++;
      notifyAll();
    }

    @Override
    public void addDocuments(Stream<Document> entries) {
      entries.forEach(this::addDocument);
    }

    @Override
    public synchronized Stream<Document> queryAllAsStream() {
      return new ArrayList<>(newest).stream();
    }

    synchronized void awaitMoreThan(long seen, long milliseconds) {
      try {
        if (count <= seen) wait(milliseconds);
      } catch (InterruptedException ended) {
        Thread.currentThread().interrupt();
      }
    }
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
