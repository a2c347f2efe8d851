// pgjdbc against DATABASE_URL. Throws if anything is not as in PostgreSQL itself.

import java.io.StringReader;
import java.io.StringWriter;
import java.net.URI;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.Properties;

import org.postgresql.PGConnection;

public class Jdbc {
    static final String TABLE = "driver_jdbc";

    interface Action { void run() throws Exception; }

    static void check(boolean ok, String what) {
        if (!ok) throw new AssertionError(what);
    }

    static void expect(String state, Action action) throws Exception {
        try {
            action.run();
        } catch (SQLException problem) {
            check(state.equals(problem.getSQLState()), state + " expected, not " + problem.getSQLState() + ": " + problem);
            return;
        }
        throw new AssertionError("no error " + state);
    }

    /** prepareThreshold 1 gives every statement a name at once; the default does so at the fifth use. */
    static Connection connect(int prepareThreshold) throws Exception {
        URI url = new URI(System.getenv("DATABASE_URL"));
        String[] login = url.getUserInfo().split(":", 2);
        Properties properties = new Properties();
        properties.setProperty("user", login[0]);
        properties.setProperty("password", login[1]);
        properties.setProperty("prepareThreshold", Integer.toString(prepareThreshold));
        return DriverManager.getConnection("jdbc:postgresql://" + url.getAuthority().split("@")[1] + url.getPath(), properties);
    }

    static void execute(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(query);
        }
    }

    static int number(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getInt(1);
        }
    }

    static void preparedStatements(Connection connection) throws Exception {
        for (String column : new String[] {"a", "b", "c"}) {
            try (PreparedStatement statement = connection.prepareStatement("SELECT ?::int + 1 AS " + column)) {
                for (int i = 0; i < 50; ++i) {
                    statement.setInt(1, i);
                    try (ResultSet rows = statement.executeQuery()) {
                        check(rows.next() && rows.getInt(1) == i + 1, "prepared");
                    }
                }
            }
        }
        expect("42P01", () -> {
            try (PreparedStatement statement = connection.prepareStatement("SELECT * FROM nowhere WHERE a = ?")) {
                statement.setInt(1, 1);
                statement.executeQuery();
            }
        });
    }

    static void transactions(Connection connection) throws Exception {
        execute(connection, "DROP TABLE IF EXISTS " + TABLE);
        execute(connection, "CREATE TABLE " + TABLE + " (id int PRIMARY KEY, note text)");
        connection.setAutoCommit(false);
        execute(connection, "INSERT INTO " + TABLE + " VALUES (1, 'kept')");
        Savepoint savepoint = connection.setSavepoint();
        expect("23505", () -> execute(connection, "INSERT INTO " + TABLE + " VALUES (1, 'again')"));
        expect("25P02", () -> execute(connection, "SELECT 1"));
        connection.rollback(savepoint);
        connection.commit();
        execute(connection, "INSERT INTO " + TABLE + " VALUES (2, 'not kept')");
        connection.rollback();
        connection.setAutoCommit(true);
        check(number(connection, "SELECT count(*) FROM " + TABLE) == 1, "rollback");
    }

    static void batches(Connection connection) throws Exception {
        try (PreparedStatement statement = connection.prepareStatement("INSERT INTO " + TABLE + " VALUES (?, 'many')")) {
            for (int i = 10; i < 500; ++i) {
                statement.setInt(1, i);
                statement.addBatch();
            }
            check(statement.executeBatch().length == 490, "batch");
            statement.setInt(1, 10);
            statement.addBatch();
            try {
                statement.executeBatch();
                check(false, "no error in the batch");
            } catch (BatchUpdateException problem) {
                check("23505".equals(problem.getSQLState()), "batch: " + problem);
            }
        }
    }

    static void cursors(Connection connection) throws Exception {
        connection.setAutoCommit(false);
        try (PreparedStatement statement = connection.prepareStatement("SELECT generate_series(1, ?)")) {
            statement.setFetchSize(10); // a portal that is executed in parts
            statement.setInt(1, 1000);
            int sum = 0;
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) sum += rows.getInt(1);
            }
            check(sum == 500500, "cursor");
        }
        connection.commit();
        connection.setAutoCommit(true);
    }

    static void copy(Connection connection) throws Exception {
        StringBuilder rows = new StringBuilder();
        for (int i = 1000; i < 6000; ++i) rows.append(i).append('\t').append("x".repeat(200)).append('\n');
        var copy = connection.unwrap(PGConnection.class).getCopyAPI();
        check(copy.copyIn("COPY " + TABLE + " FROM STDIN", new StringReader(rows.toString())) == 5000, "copy in");
        check(copy.copyOut("COPY (SELECT id FROM " + TABLE + " WHERE id >= 1000) TO STDOUT", new StringWriter()) == 5000, "copy out");
        expect("23505", () -> copy.copyIn("COPY " + TABLE + " FROM STDIN", new StringReader(rows.toString())));
    }

    static void cancel(Connection connection) throws Exception {
        long start = System.nanoTime();
        try (Statement statement = connection.createStatement()) {
            Thread other = new Thread(() -> {
                try {
                    Thread.sleep(300);
                    statement.cancel();
                } catch (Exception problem) {
                    throw new AssertionError(problem);
                }
            });
            other.start();
            expect("57014", () -> statement.execute("SELECT pg_sleep(30)"));
            other.join();
            statement.setQueryTimeout(1);
            expect("57014", () -> statement.execute("SELECT pg_sleep(30)"));
        }
        check(System.nanoTime() - start < 20_000_000_000L, "slow cancel");
        check(number(connection, "SELECT 1") == 1, "alive");
    }

    public static void main(String[] arguments) throws Exception {
        for (int prepareThreshold : new int[] {1, 5}) {
            try (Connection connection = connect(prepareThreshold)) {
                preparedStatements(connection);
                transactions(connection);
                batches(connection);
                cursors(connection);
                copy(connection);
                cancel(connection);
                execute(connection, "DROP TABLE " + TABLE);
            }
        }
    }
}
