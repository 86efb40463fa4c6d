#include <chrono>
#include <functional>
#include <thread>
#include <upcall.hpp>

using namespace std::chrono_literals;

// Stands for a C++ library that tells its events on a thread of its own.
class event_loop {
 public:
  explicit event_loop(std::function<bool(int)> on_event)
      : m_thread([on_event](const std::stop_token& stop) {
          for (int event = 1; !stop.stop_requested() && on_event(event); ++event)
            std::this_thread::sleep_for(1ms);
        }) {}
  ~event_loop() {
    m_thread.request_stop();
    m_thread.detach();  // to wait for it would block the scheduler that collects the garbage
  }

 private:
  std::jthread m_thread;
};

// The handler says whether it wants more; one that fails does not.
upcall::resource<event_loop> subscribe(upcall::function<bool(int)> handler,
                                       upcall::executor executor) {
  auto on_event = handler.on(executor, {.timeout = 200ms});
  return upcall::make_resource<event_loop>(
      [on_event](int event) { return on_event.try_call(event).value_or(false); });
}

UPCALL_NIF(subscribe);
UPCALL_INIT("Elixir.Demo.Events");
