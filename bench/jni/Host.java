import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.function.LongUnaryOperator;

/** Answers each line "COUNT TIMES" with the sum of TIMES native loops of COUNT callbacks. */
public final class Host {
    private static native long loop(LongUnaryOperator f, long count);

    private static long run(LongUnaryOperator f, long count, long times) {
        long total = 0;
        for (long i = 0; i < times; i++) total = (total + loop(f, count)) % 1009;
        return total;
    }

    public static void main(String[] arguments) throws IOException {
        System.load(arguments[0]);
        LongUnaryOperator square = x -> x * x;
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] numbers = line.split(" ");
            System.out.println(run(square, Long.parseLong(numbers[0]), Long.parseLong(numbers[1])));
            System.out.flush();
        }
    }
}
