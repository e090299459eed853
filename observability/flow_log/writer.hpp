// Who writes the flow log: a thread that takes what workers and the flow controller say, pairs it, and gives it to the file and the
// collector. Whatever these do, it holds up nobody: what finds no room on the way here is lost, and counted.
//
//   packet workers -> rings -> Writer -> LogFile      one line a record
//   flow controller -> ends ->        -> Collector    IPFIX
//
// An end is known by its record's serial, which comes before it: who says that a flow has ended has heard of it after its record was
// in the ring. So ends are fetched first, then records, and then the ends are looked at.
//
// A Writer without start() is driven by round(): tests.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "observability/flow_log/collector.hpp"
#include "observability/flow_log/ipfix.hpp"
#include "observability/flow_log/json.hpp"
#include "observability/flow_log/log_file.hpp"
#include "observability/flow_log/probe.hpp"
#include "observability/flow_log/sampling.hpp"
#include "observability/log.hpp"

namespace viaduct::observability::flow_log {

struct WriterOptions {
  std::string file;                           // empty: none
  std::optional<CollectorAddress> collector;  // nothing: none
  uint32_t domain = 0;                        // observation domain
  std::chrono::seconds template_refresh{600};
  uint64_t max_rate = 10'000;    // records a second
  size_t max_tracked = 200'000;  // flows whose end is waited for; about 700 bytes each
};

struct Sources {
  // One for each packet worker; called by the writer's thread. Fills `out` from the front, and says how many; less than there is room
  // for: no more now.
  using Records = std::function<size_t(std::span<Record> out)>;
  std::vector<Records> records;
  std::function<std::vector<Ended>()> ends;
  std::function<void(Record&)> complete;  // may be empty; fills in what a worker has no time to look for
};

class Writer {
 public:
  static constexpr std::chrono::milliseconds kPause{20};
  static constexpr size_t kRecordsOfASource = 4'096;  // that may wait: as many as are taken in one round

  Writer(const WriterOptions& options, JsonContext context, Sources sources, Probe& probe);
  ~Writer() { stop(); }

  // What keeps the file from being written is told in the log at once.
  void start();
  // What has been said until now is written. Idempotent.
  void stop();
  // The file may have been renamed: it is opened anew before the next line. Any thread.
  void reopen();
  // One look at the sources, and all of its consequences.
  void round(const Clocks& clocks);
  size_t tracked() const { return by_serial_.size(); }

 private:
  // With the packets that were carried before there was a flow: a datapath does not count these.
  struct Tracked {
    Record record;
    uint64_t packets = 1, bytes = 0;
  };
  using Order = std::list<Tracked>;  // the oldest first
  static constexpr size_t kBatch = 256;
  static constexpr size_t kMostAtOnce = 1 << 20;  // bytes of lines

  void run(std::stop_token stop);
  void decided(Record& record, const Clocks& clocks);
  void ended(Ended end, const Clocks& clocks);
  void merge(const Tracked& flow, uint64_t into);
  void track(const Record& record);
  void flush_file(const Clocks& clocks);
  void tell_file_error(Time now, uint64_t records);
  void flush_collector(const Clocks& clocks);

  const WriterOptions options_;
  const JsonWriter json_;
  const Sources sources_;
  Probe& probe_;
  RateCap rate_;
  std::optional<LogFile> file_;
  std::optional<Collector> collector_;
  IpfixEncoder encoder_;
  Order order_;
  std::unordered_map<uint64_t, Order::iterator> by_serial_;
  std::vector<Record> batch_;
  std::string lines_;
  uint64_t line_count_ = 0;
  log::RateLimit file_words_{std::chrono::minutes(1)}, collector_words_{std::chrono::minutes(1)};

  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool reopen_ = false;
  std::jthread thread_;
};

}  // namespace viaduct::observability::flow_log
