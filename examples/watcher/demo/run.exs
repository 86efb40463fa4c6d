# Watches a directory, in which this script itself does a few things: `mix run demo/run.exs`.

dir = Path.join(System.tmp_dir!(), "watcher_demo_#{System.pid()}")
File.mkdir_p!(dir)
demo = self()

handler = fn event ->
  IO.puts("#{inspect(self())} #{event.kind} #{event.path}")
  if event.kind == :deleted, do: send(demo, :done)
end

{:ok, tree} =
  Watcher.Supervisor.start_link(
    pool: [name: Demo.Pool, size: 2],
    watchers: [[dir: dir, handler: handler]]
  )

draft = Path.join(dir, "draft.txt")
letter = Path.join(dir, "letter.txt")
File.write!(draft, "Dear Ada,")
File.rename!(draft, letter)
File.rm!(letter)

receive do: (:done -> :ok)
Supervisor.stop(tree)
IO.puts("#{Watcher.Native.threads()} threads are left")
File.rm_rf!(dir)
