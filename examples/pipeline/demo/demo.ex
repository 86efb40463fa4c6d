defmodule Demo do
  @moduledoc false

  alias Demo.{Memory, Plain, Report}

  @default_path "/usr/share/unicode/UnicodeData.txt"
  @chunk_size 65_536
  @repetitions 20
  @runs 7

  def main(arguments) do
    path = List.first(arguments) || System.get_env("UNICODE_DATA") || @default_path

    unless File.exists?(path) do
      IO.puts(:stderr, "#{path} is not there: install Debian's unicode-data, or name the file")
      IO.puts(:stderr, "make demo UNICODE_DATA=path/to/UnicodeData.txt")
      System.halt(1)
    end

    Report.title("C++ reads and writes a file, and Elixir #{System.version()} has the middle")
    Report.line("#{path}: #{Report.number(File.stat!(path).size)} bytes")

    steps = [&count/1, &find/1, &keep/1, &round_trip/1, &change/1, &damage/1, &memory/1, &speed/1]

    checks =
      for {step, number} <- Enum.with_index(steps, 1) do
        {title, run} = step.(path)
        Report.heading(number, title)
        tap(run.(), &Report.checked/1)
      end

    finish(checks)
  end

  # So in every Elixir: the arguments of File.stream!/3 have changed places in 1.16.
  defp chunks(path, size \\ @chunk_size), do: %{File.stream!(path) | line_or_bytes: size}
  defp native(path), do: path |> chunks() |> Pipeline.records()
  defp plain(path), do: path |> chunks() |> Plain.records()

  # ---- reading ----

  defp count(path) do
    {"Records of a native parser, counted in Elixir: the commonest categories",
     fn ->
       Report.code("""
       %{File.stream!(path) | line_or_bytes: 65_536}
       |> Pipeline.records()
       |> Enum.frequencies_by(& &1.category)
       """)

       categories = path |> native() |> Enum.frequencies_by(& &1.category)

       commonest =
         categories |> Enum.sort_by(fn {name, count} -> {-count, name} end) |> Enum.take(4)

       Report.table(
         ["category", "records"],
         for({name, count} <- commonest, do: [name, Report.number(count)])
       )

       categories == path |> plain() |> Enum.frequencies_by(& &1.category)
     end}
  end

  defp find(path) do
    {"It is lazy: the file is read as far as needed, and closed",
     fn ->
       Report.code("""
       %{File.stream!(path) | line_or_bytes: 4096}
       |> Pipeline.records()
       |> Enum.find(&(&1.decimal == 9))
       """)

       read = :counters.new(1, [])
       chunks = Stream.each(chunks(path, 4096), &:counters.add(read, 1, byte_size(&1)))
       nine? = &(&1.decimal == 9)
       found = chunks |> Pipeline.records() |> Enum.find(nine?)
       bytes = :counters.get(read, 1)

       Report.line("#{inspect(found, width: 90, limit: 4)}")

       Report.line(
         "#{Report.number(bytes)} of #{Report.number(File.stat!(path).size)} bytes were read"
       )

       found == path |> plain() |> Enum.find(nine?) and bytes <= 2 * 4096
     end}
  end

  @numbers ~w(Nl No)

  defp keep(path) do
    {"The parser calls an Elixir function for each line: the largest numbers",
     fn ->
       Report.code("""
       |> Pipeline.records(keep?: fn _code, category -> category in ["Nl", "No"] end)
       """)

       calls = :counters.new(1, [])

       keep? = fn _code, category ->
         :counters.add(calls, 1, 1)
         category in @numbers
       end

       largest = path |> chunks() |> Pipeline.records(keep?: keep?) |> largest()

       Report.table(
         ["character", "name", "is"],
         for(
           r <- largest,
           do: ["U+" <> Integer.to_string(r.code, 16), r.name, Report.number(value(r))]
         )
       )

       Report.line("#{Report.number(:counters.get(calls, 1))} calls")
       largest == path |> plain() |> Stream.filter(&(&1.category in @numbers)) |> largest()
     end}
  end

  defp largest(records), do: records |> Enum.sort_by(&{-value(&1), &1.code}) |> Enum.take(3)

  defp value(record) do
    case Integer.parse(record.numeric || "0") do
      {integer, ""} -> integer
      {_, _fraction} -> 0
    end
  end

  # ---- writing ----

  defp round_trip(path) do
    {"And back: the records as a file",
     fn ->
       Report.code("""
       %{File.stream!(path) | line_or_bytes: 65_536}
       |> Pipeline.records()
       |> Pipeline.encode()
       |> Enum.into(File.stream!(copy))
       """)

       copy = output_path("copy.txt")
       path |> native() |> Pipeline.encode() |> Enum.into(File.stream!(copy))

       Report.line("#{Path.relative_to_cwd(copy)}: #{Report.number(File.stat!(copy).size)} bytes")
       File.read!(copy) == File.read!(path)
     end}
  end

  defp change(path) do
    {"With an Elixir function in between: decompositions as text",
     fn ->
       Report.code("""
       |> Pipeline.records()
       |> Stream.map(&show_decomposition/1)
       |> Pipeline.encode()
       """)

       changed = output_path("changed.txt")

       path
       |> native()
       |> Stream.map(&show_decomposition/1)
       |> Pipeline.encode()
       |> Enum.into(File.stream!(changed))

       expected =
         path |> plain() |> Stream.map(&show_decomposition/1) |> Plain.encode() |> Enum.join()

       for line <- File.stream!(changed),
           line =~ ~r/^(00BD|01C4|FB03);/,
           do: Report.line(String.trim(line))

       File.read!(changed) == expected
     end}
  end

  defp show_decomposition(%{decomposition: nil} = record), do: record

  defp show_decomposition(%{decomposition: codes} = record) do
    %{record | decomposition: Regex.replace(~r/\b[0-9A-F]{4,6}\b/, codes, &character/1)}
  end

  # A separator would be one of the file's.
  defp character("003B"), do: "003B"
  defp character(code), do: <<String.to_integer(code, 16)::utf8>>

  defp output_path(name) do
    directory = Path.join(Mix.Project.build_path(), "demo")
    File.mkdir_p!(directory)
    Path.join(directory, name)
  end

  # ---- errors ----

  defp damage(path) do
    {"A wrong line: the records before it come, then the error",
     fn ->
       Report.code("""
       File.stream!(path)
       |> Stream.map(&String.replace(&1, "SNOWMAN;So;0", "SNOWMAN;So;cold"))
       |> Pipeline.records()
       """)

       records =
         path
         |> File.stream!()
         |> Stream.map(&String.replace(&1, "SNOWMAN;So;0", "SNOWMAN;So;cold"))
         |> Pipeline.records()

       came = :counters.new(1, [])

       error =
         try do
           Enum.each(records, fn _ -> :counters.add(came, 1, 1) end)
           %RuntimeError{message: "nothing was raised"}
         rescue
           error -> error
         end

       before = path |> plain() |> Enum.find_index(&(&1.name == "SNOWMAN"))

       Report.line("#{Report.number(:counters.get(came, 1))} records, then")
       Report.line("** (#{inspect(error.__struct__)}) #{Exception.message(error)}")

       :counters.get(came, 1) == before and
         match?(%Pipeline.FormatError{place: {:line, line}} when line == before + 1, error)
     end}
  end

  # ---- memory ----

  # More than a busy VM varies by, and far less than the repeated file has.
  @most_growth 16_000_000

  defp memory(path) do
    {"Memory does not grow with the file: once, and #{@repetitions} times after another",
     fn ->
       Report.code("""
       |> Pipeline.records() |> Stream.map(&show_decomposition/1) |> Pipeline.encode()
       """)

       # The first time, the VM grows, and keeps what it has for later.
       most_memory(path, @repetitions)
       runs = for repetitions <- [1, @repetitions], do: most_memory(path, repetitions)

       Report.table(
         ["read", "written", "the process, at most", "the whole VM, at most"],
         for(
           run <- runs,
           do: Enum.map([run.read, run.written, run.process, run.vm], &Report.megabytes/1)
         )
       )

       Report.line("(the VM's is the memory that the machine gave it, native code's included)")

       [once, repeated] = runs
       repeated.written == @repetitions * once.written and repeated.vm - once.vm < @most_growth
     end}
  end

  # Looks at every 1000th record, and at every block.
  defp most_memory(path, repetitions) do
    Task.await(
      Task.async(fn ->
        most = :counters.new(2, [])

        look = fn ->
          raise_to(most, 1, Memory.of_this_process())
          raise_to(most, 2, Memory.of_the_vm())
        end

        written =
          path
          |> chunks()
          |> List.duplicate(repetitions)
          |> Stream.concat()
          |> Pipeline.records()
          |> Stream.map(&show_decomposition/1)
          |> Stream.map_every(1000, &tap(&1, fn _ -> look.() end))
          |> Pipeline.encode()
          |> Enum.reduce(0, fn block, bytes ->
            look.()
            bytes + byte_size(block)
          end)

        %{
          read: repetitions * File.stat!(path).size,
          written: written,
          process: :counters.get(most, 1),
          vm: :counters.get(most, 2)
        }
      end),
      :infinity
    )
  end

  defp raise_to(counters, index, value),
    do: :counters.put(counters, index, max(value, :counters.get(counters, index)))

  # ---- speed ----

  defp speed(path) do
    {"Speed, beside the same in plain Elixir (which checks less of a line)",
     fn ->
       number? = &(&1.category in @numbers)
       keep? = fn _code, category -> category in @numbers end

       jobs = [
         {"records", fn -> path |> native() |> count_and_sum() end,
          fn -> path |> plain() |> count_and_sum() end},
         {"records, few of them kept",
          fn -> path |> chunks() |> Pipeline.records(keep?: keep?) |> count_and_sum() end,
          fn -> path |> plain() |> Stream.filter(number?) |> count_and_sum() end},
         {"records and back to text",
          fn -> path |> native() |> Pipeline.encode() |> Enum.join() end,
          fn -> path |> plain() |> Plain.encode() |> Enum.join() end}
       ]

       size = File.stat!(path).size

       measured = for {name, native, plain} <- jobs, do: {name, compare_times(native, plain)}

       Report.table(
         ["", "native", "plain Elixir"],
         for(
           {name, {native, plain, _}} <- measured,
           do: [name, rate(size, native), rate(size, plain)]
         )
       )

       Report.line("(MB of the file a second: medians of #{@runs} runs, that took turns)")
       Enum.all?(measured, fn {_, {_, _, equal?}} -> equal? end)
     end}
  end

  defp count_and_sum(records),
    do: Enum.reduce(records, {0, 0}, fn r, {count, sum} -> {count + 1, sum + r.code} end)

  defp compare_times(native, plain) do
    runs = for _ <- 1..@runs, do: {timed(native), timed(plain)}
    {natives, plains} = Enum.unzip(runs)
    equal? = Enum.all?(runs, fn {{_, one}, {_, other}} -> one == other end)
    {median(natives), median(plains), equal?}
  end

  # In a process of its own, so that no run has another's garbage.
  defp timed(fun), do: Task.await(Task.async(fn -> :timer.tc(fun) end), :infinity)

  defp median(runs), do: runs |> Enum.map(&elem(&1, 0)) |> Enum.sort() |> Enum.at(div(@runs, 2))

  defp rate(bytes, microseconds), do: "#{round(bytes / microseconds)} MB/s"

  defp finish(checks) do
    IO.puts("")

    if Enum.all?(checks) do
      Report.title("#{length(checks)} of #{length(checks)} results are what they should be")
    else
      Report.title("#{Enum.count(checks, &not/1)} of #{length(checks)} results are wrong")
      System.halt(1)
    end
  end
end
