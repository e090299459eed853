// A speaker and its thread. FRR's daemons die with the thread that started them and answer on sockets, which are polled:
// that is not an actor's life, so the actor (bgp_speakers.hpp) keeps these instead, and hears what they say.
//
// What fails is tried again with growing pauses; meanwhile the status says why. An exception ends the thread, and is said.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "actors/agent/speaker_plan.hpp"
#include "actors/messages.hpp"

namespace viaduct::actors {

struct SpeakerSetup {
  PortId port;
  uint64_t life = 0;          // another for each runner
  std::string name;           // of its namespace
  std::string run_directory;  // of its own
  SpeakerPlan plan;
  std::string frr_directory;
  std::vector<topology::HostFact> adopted = {};  // what an earlier life has learned behind the port
};

class SpeakerRunner {
 public:
  enum class End : uint8_t {
    withdraw,  // it is over: peers hear CEASE, and what it had learned is so no longer
    keep       // the daemon ends: peers and packets go on until the next life
  };
  // `tell` is called on the runner's thread, and not after the destructor.
  SpeakerRunner(SpeakerSetup setup, std::function<void(SpeakerSaid)> tell);
  ~SpeakerRunner();  // End::keep, unless it has been asked otherwise; waits, for seconds when FRR hangs

  // Any thread; does not wait.
  void follow(SpeakerPlan plan);
  void end(End how);
  bool has_ended() const { return ended_; }  // then the destructor does not wait

 private:
  class Work;
  struct Orders {
    std::optional<SpeakerPlan> plan;
    std::optional<End> end;
  };
  void run(SpeakerSetup setup);
  void live(Work& work);
  void order(const std::function<void(Orders&)>& change);
  Orders take_orders();

  const std::function<void(SpeakerSaid)> tell_;
  std::mutex mutex_;
  Orders orders_;
  int bell_ = -1;  // an eventfd: orders have come
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace viaduct::actors
