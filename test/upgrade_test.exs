import UpcallTest.Bodies

for_both_bodies UpcallTest.UpgradeTest, native: UpcallTest.Upgrade do
  use ExUnit.Case

  alias UpcallTest.Wait

  # Defined by the tests, again and again.
  @compile {:no_warn_undefined, [Native, UpcallTest.Handwritten]}

  @moduletag :tmp_dir

  setup %{tmp_dir: directory} do
    on_exit(fn ->
      for module <- [Native, UpcallTest.Handwritten] do
        :code.purge(module)
        :code.delete(module)
        :code.purge(module)
      end
    end)

    {:ok, path: Path.join(directory, "upgrade_nif")}
  end

  describe "a purge" do
    setup :load_first_version

    test "kills callers, and their frames end in old code", %{beam: beam} do
      callers = for _ <- 1..200, do: spawn_caller()
      reload(beam)
      monitors = Enum.map(callers, &Process.monitor/1)

      assert :code.purge(Native)

      for monitor <- monitors, do: assert_receive({:DOWN, ^monitor, _, _, :killed})
      for _ <- callers, do: assert_receive({:destroyed, 1}, 5_000)
      refute_received {:destroyed, _}
      assert Native.version() == 1
    end

    test "of the soft kind refuses while frames are suspended", %{beam: beam} do
      caller = spawn_caller()
      reload(beam)

      refute :code.soft_purge(Native)

      let_go(caller)
      assert_receive {:returned, ^caller, 2}
      assert_receive {:destroyed, 1}
      Wait.until(fn -> not Process.alive?(caller) end)
      assert :code.soft_purge(Native)
    end

    # The race: a purge kills the callers while their frames are being resumed.
    @tag :slow
    test "in the middle of steps does no harm", %{beam: beam} do
      # Few, as busy processes make loading slow.
      for _ <- 1..if(UpcallTest.Machine.sanitized?(), do: 2, else: 6) do
        test = self()
        nobody = spawn(fn -> :ok end)

        callers =
          for _ <- 1..2 do
            spawn(fn ->
              send(test, {:runs, self()})
              call_for_ever(nobody)
            end)
          end

        for caller <- callers, do: assert_receive({:runs, ^caller})
        reload(beam)
        :code.purge(Native)
        for caller <- callers, do: Process.exit(caller, :kill)
        assert Native.version() == 1
      end
    end
  end

  describe "a new build of the same path" do
    setup :load_first_version

    test "serves new calls, while old ones end in old code, 20 times", %{beam: beam, path: path} do
      for round <- 1..20 do
        {old, new} = if rem(round, 2) == 1, do: {1, 2}, else: {2, 1}
        returning = for _ <- 1..5, do: spawn_caller()
        purged = for _ <- 1..5, do: spawn_caller()

        install(new, path, rem(round, 3))
        reload(beam)

        assert Native.version() == new
        caller = spawn_caller()
        for each <- returning, do: let_go(each)
        for each <- returning, do: assert_receive({:returned, ^each, sum} when sum == 2 * old)
        for _ <- returning, do: assert_receive({:destroyed, ^old}, 5_000)

        :code.purge(Native)
        for _ <- purged, do: assert_receive({:destroyed, ^old}, 5_000)
        let_go(caller)
        assert_receive {:returned, ^caller, sum} when sum == 2 * new
        assert_receive {:destroyed, ^new}
      end

      assert Upcall.info(Native).suspended == 0
      assert File.ls!(Path.dirname(path)) == [Path.basename(path) <> ".so"]
    end

    # A pinned call takes an `upcall::function`, which is not to be had without Boost.
    if @body == :fiber do
      test "leaves pinned calls to the old one", %{beam: beam, path: path} do
        returning = spawn_caller(&Native.call_twice_pinned/2)
        killed = spawn_caller(&Native.call_twice_pinned/2)
        install(2, path)
        reload(beam)
        assert Native.version() == 2

        let_go(returning)
        assert_receive {:returned, ^returning, 2}, 5_000
        assert_receive {:destroyed, 1}, 5_000
        :code.purge(Native)
        Wait.until(fn -> not Process.alive?(killed) end)
        assert_receive {:destroyed, 1}, 5_000

        new = spawn_caller(&Native.call_twice_pinned/2)
        let_go(new)
        assert_receive {:returned, ^new, 4}, 5_000
      end
    end

    test "leaves enumerations to the old one, and begins new ones", %{beam: beam, path: path} do
      test = self()
      versions = Native.versions(test)

      enumerating =
        spawn(fn ->
          step = fn version, seen ->
            send(test, {:suspended, self()})

            receive(
              do: (:go -> {if(length(seen) == 2, do: :halt, else: :cont), [version | seen]})
            )
          end

          send(test, {:returned, self(), Enum.reduce_while(versions, [], step)})
        end)

      assert_receive {:suspended, ^enumerating}
      install(2, path)
      reload(beam)
      for _ <- 1..3, do: send(enumerating, :go)
      assert_receive {:returned, ^enumerating, [1, 1, 1]}
      assert_receive {:destroyed, 1}
      assert Enum.take(versions, 2) == [2, 2]
      assert_receive {:destroyed, 2}
    end

    # The VM takes a fun of the same code for one of the newer load.
    test "goes on with no enumeration that was suspended before", %{beam: beam, path: path} do
      test = self()

      {_, monitor} =
        spawn_monitor(fn ->
          step = fn version, _ -> {:suspend, version} end
          {:suspended, 1, go_on} = Enumerable.reduce(Native.versions(test), {:cont, nil}, step)
          install(2, path)
          reload(beam)

          assert_raise ArgumentError, ~r/of this library as it is loaded now/, fn ->
            go_on.({:cont, nil})
          end
        end)

      assert_receive {:DOWN, ^monitor, _, _, :normal}, 5_000
      assert_receive {:destroyed, 1}, 5_000
    end

    # Its calls are answered by the new build's NIFs, which hand them to the old build's code.
    test "answers the calls of the old one's threads", %{beam: beam, path: path} do
      test = self()
      server = start_supervised!(Upcall.Server)

      function = fn version ->
        send(test, {:called, self(), version})
        receive(do: (:go -> version))
      end

      Native.start_thread(function, server, 3, self())
      assert_receive {:called, ^server, 1}, 5_000
      install(2, path)
      reload(beam)
      :code.purge(Native)
      assert Native.version() == 2

      send(server, :go)

      for _ <- 1..2 do
        assert_receive {:called, ^server, 1}, 5_000
        send(server, :go)
      end

      assert_receive {:sum, 3}, 5_000
      Native.start_thread(function, server, 1, self())
      assert_receive {:called, ^server, 2}, 5_000
      send(server, :go)
      assert_receive {:sum, 2}, 5_000
    end

    test "may come under another name of the same file", %{path: path} do
      caller = spawn_caller()
      File.ln_s!(path <> ".so", path <> "_link.so")
      compile(path <> "_link")
      assert Native.version() == 1

      # It was not the old library that was loaded again: that would have forgotten its frames.
      let_go(caller)
      assert_receive {:returned, ^caller, 2}
      assert_receive {:destroyed, 1}
    end

    test "may have types of any name" do
      assert is_reference(Native.make_named())
    end

    test "knows nothing of the old one's resources", %{beam: beam, path: path} do
      object = Native.make_object()
      assert Native.use(object, fn -> :ok end, fn -> :ok end) == 1

      install(2, path)
      reload(beam)

      error =
        assert_raise ArgumentError, fn -> Native.use(object, fn -> :ok end, fn -> :ok end) end

      assert error.message =~
               ~r/^#{inspect(Native)}.use\/3: argument 1: expected a reference to a native .*, got: #Reference/

      assert Native.use(Native.make_object(), fn -> :ok end, fn -> :ok end) == 2
    end

    test "leaves old calls their turn with an exclusive object", %{beam: beam, path: path} do
      object = Native.make_object()
      holder = spawn_user(object)
      go_on(holder, :before)
      assert_receive {:inside, ^holder}

      # One waits already, the other asks only after the upgrade.
      waiter = spawn_user(object)
      go_on(waiter, :before)
      Wait.until_queued(waiter)
      late = spawn_user(object)
      assert_receive {:before, ^late}

      install(2, path)
      reload(beam)
      assert Native.version() == 2
      send(late, :go)
      Wait.until_queued(late)

      send(holder, :go)
      for user <- [waiter, late], do: go_on(user, :inside)
      for user <- [holder, waiter, late], do: assert_receive({:returned, ^user, 1})
    end
  end

  describe "a library that can't be loaded" do
    setup :report_load_errors

    test "because it is missing", %{path: path} do
      assert load_error(path) ==
               "#{inspect(Native)}: cannot load the native library #{path}.so: there is no such file; " <>
                 "build it (make, or mix compile with elixir_make), " <>
                 "or correct the :path option of use Upcall.Nif"

      install(1, path)
      compile(path)
      assert Native.version() == 1
    end

    test "because it is none", %{path: path} do
      File.write!(path <> ".so", "#!/bin/sh\nexit\n")

      assert load_error(path) =~
               ~r"^#{inspect(Native)}: cannot load the native library #{path}.so: .*(invalid ELF header|too short).*; build it for this machine and against this Erlang/OTP$"

      install(1, path)
      compile(path)
      assert Native.version() == 1
    end

    test "because it is another module's", %{path: path} do
      File.cp!(UpcallTest.Native.path("capacity_nif") <> ".so", path <> ".so")

      assert load_error(path) =~
               ~r"^#{inspect(Native)}: cannot load the native library #{path}.so: .*'Elixir.UpcallTest.Capacity'.*'#{Native}'.*; the module that UPCALL_INIT names must be this one"

      # The dynamic linker may keep the wrong one under the path.
      install(1, path)
      compile(path)
      assert Native.version() == 1
    end

    test "because a defnif has no C++ function", %{path: path} do
      install(1, path)

      assert load_error(path, "defnif more(a)") ==
               "#{inspect(Native)}: #{path}.so has no function for `defnif more/1`; " <>
                 "add UPCALL_NIF(more) for a C++ function of 1 argument, and build it again"

      compile(path)
      assert Native.version() == 1
    end

    test "because a C++ function has no defnif", %{path: path} do
      install(1, path)

      assert load_error(path, "", ["use(object, before, inside)"]) ==
               "#{inspect(Native)}: cannot load the native library #{path}.so: it has UPCALL_NIF(use) " <>
                 "for a C++ function of 3 arguments, and the module has no defnif of that name and " <>
                 "number of arguments; add it, or compile the module again"

      compile(path)
      assert Native.version() == 1
    end

    test "because its application is unknown" do
      assert load_error("some_nif", "", [], :no_such_application) =~
               "use Upcall.Nif, otp_app: :no_such_application: there is no such application; " <>
                 "give the name that mix.exs gives as :app"
    end
  end

  # Its library has fibers and is not built without.
  if @body == :fiber do
    describe "a hand-written table" do
      @handwritten """
      defmodule UpcallTest.Handwritten do
        use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("handwritten_nif")
        defnif twice(f, x)
        defnif scheduler(f)
        defnif forgotten(f)
        def count, do: :erlang.nif_error(:not_loaded)
      end
      """

      test "takes Upcall in and keeps its priv_data, through an upgrade" do
        [{_, beam}] = Code.compile_string(@handwritten)
        assert UpcallTest.Handwritten.count() == {0, 1}

        assert UpcallTest.Handwritten.twice(
                 fn x ->
                   UpcallTest.Handwritten.count()
                   x + 1
                 end,
                 1
               ) == 3

        assert UpcallTest.Handwritten.count() == {0, 4}
        assert UpcallTest.Handwritten.scheduler(& &1) == 3

        assert_raise KeyError, fn ->
          UpcallTest.Handwritten.twice(&Map.fetch!(UpcallTest.Hidden.value(%{}), &1), 1)
        end

        assert_raise RuntimeError,
                     ~s|UpcallTest.Handwritten.forgotten/1: the library's table has no entry for it; | <>
                       ~s|add UPCALL_ENTRY("forgotten", forgotten)|,
                     fn -> UpcallTest.Handwritten.forgotten(1) end

        :code.purge(UpcallTest.Handwritten)
        assert {:module, _} = :code.load_binary(UpcallTest.Handwritten, ~c"nofile", beam)
        assert UpcallTest.Handwritten.count() == {1, 1}
        assert UpcallTest.Handwritten.twice(&(&1 * 3), 2) == 18
        assert Upcall.info(UpcallTest.Handwritten).suspended == 0
      end
    end
  end

  # ---- versions ----

  defp load_first_version(%{path: path}) do
    install(1, path)
    {:ok, beam: compile(path)}
  end

  # Puts a build where the one before is, as linkers do: the old file stays whole until it is closed.
  defp install(version, path, way \\ 0) do
    build =
      UpcallTest.Native.path(if(version == 1, do: "upgrade_nif", else: "upgrade_v2_nif"), @body) <>
        ".so"

    if way == 0 do
      File.cp!(build, path <> ".new")
      File.rename!(path <> ".new", path <> ".so")
    else
      File.rm(path <> ".so")
      File.cp!(build, path <> ".so")
    end
  end

  defp compile(path, more \\ "", left_out \\ [], app \\ :upcall) do
    heads = [
      "version()",
      "call_twice(f, told)",
      "start_thread(f, executor, calls, told)",
      "versions(told)",
      "make_object()",
      "make_named()",
      "use(object, before, inside)"
      | if(@body == :fiber, do: ["call_twice_pinned(f, told)"], else: [])
    ]

    code = """
    defmodule #{inspect(Native)} do
      use Upcall.Nif, otp_app: #{inspect(app)}, path: #{inspect(path)}
      #{Enum.map_join(heads -- left_out, "\n  ", &"defnif #{&1}")}
      #{more}
    end
    """

    [{Native, beam}] = redefine(code)
    beam
  end

  # Without a warning where the module is still loaded.
  defp redefine(code) do
    ignores = Code.get_compiler_option(:ignore_module_conflict)
    Code.put_compiler_option(:ignore_module_conflict, true)

    try do
      Code.compile_string(code)
    after
      Code.put_compiler_option(:ignore_module_conflict, ignores)
    end
  end

  defp reload(beam) do
    :code.purge(Native)
    assert {:module, Native} = :code.load_binary(Native, ~c"nofile", beam)
  end

  # ---- callers ----

  # A process that is in a native call until `let_go/1`.
  defp spawn_caller(native \\ &Native.call_twice/2) do
    test = self()

    caller =
      spawn(fn ->
        sum =
          native.(
            fn version ->
              send(test, {:suspended, self()})
              receive(do: (:go -> version))
            end,
            test
          )

        send(test, {:returned, self(), sum})
      end)

    assert_receive {:suspended, ^caller}
    caller
  end

  defp spawn_user(object) do
    test = self()

    spawn_link(fn ->
      tell = fn moment ->
        send(test, {moment, self()})
        receive(do: (:go -> :ok))
      end

      version = Native.use(object, fn -> tell.(:before) end, fn -> tell.(:inside) end)
      send(test, {:returned, self(), version})
    end)
  end

  defp call_for_ever(told) do
    Native.call_twice(& &1, told)
    call_for_ever(told)
  end

  # It waits twice.
  defp let_go(caller) do
    send(caller, :go)
    send(caller, :go)
  end

  defp go_on(user, moment) do
    assert_receive {^moment, ^user}
    send(user, :go)
  end

  # ---- load errors ----

  defp report_load_errors(_context) do
    :ok = :logger.add_handler(__MODULE__, __MODULE__, %{config: %{told: self()}})
    on_exit(fn -> :logger.remove_handler(__MODULE__) end)
  end

  @doc false
  def log(%{msg: {:report, %{args: [Native, {error, stack} | _]}}}, %{config: %{told: told}})
      when is_list(stack),
      do: send(told, {:logged, Exception.message(error)})

  def log(_event, _config), do: :ok

  # Gives what is logged when the module is loaded.
  defp load_error(path, more \\ "", left_out \\ [], app \\ :upcall) do
    compile(path, more, left_out, app)
    refute Code.ensure_loaded?(Native)
    assert_receive {:logged, message}
    message
  end
end
