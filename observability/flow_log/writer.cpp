#include "observability/flow_log/writer.hpp"

#include <pthread.h>

#include <utility>

namespace viaduct::observability::flow_log {
namespace {

// Both clocks as they were together at first, so that both records of a flow say the same of its start; anew when the system's clock was
// set, or has drifted away.
class Watch {
 public:
  Clocks now() {
    constexpr std::chrono::milliseconds kDrift{100};
    const Clocks clocks = Clocks::now();
    const auto told = base_.at(clocks.steady);
    if (std::chrono::abs(told - clocks.system) < kDrift) return {clocks.steady, told};
    base_ = clocks;
    return clocks;
  }

 private:
  Clocks base_ = Clocks::now();
};

}  // namespace

Writer::Writer(const WriterOptions& options, JsonContext context, Sources sources, Probe& probe)
    : options_(options),
      json_(std::move(context)),
      sources_(std::move(sources)),
      probe_(probe),
      rate_(options.max_rate),
      encoder_(options.domain, options.template_refresh),
      batch_(kBatch) {
  if (!options.file.empty()) file_.emplace(options.file);
  if (options.collector) collector_.emplace(*options.collector);
}

void Writer::start() {
  const Time now = Clocks::now().steady;
  if (file_ && !file_->prepare(now)) {
    probe_.file_error();
    tell_file_error(now, 0);
  }
  thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

void Writer::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void Writer::run(std::stop_token stop) {
  pthread_setname_np(pthread_self(), "flow_log");
  Watch watch;
  while (!stop.stop_requested()) {
    round(watch.now());
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kPause, [] { return false; });
  }
  round(watch.now());
}

void Writer::reopen() {
  std::lock_guard lock(mutex_);
  reopen_ = true;
}

void Writer::round(const Clocks& clocks) {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(reopen_, false) && file_) file_->reopen();
  }
  const std::vector<Ended> ends = sources_.ends();
  for (const auto& source : sources_.records) {
    for (size_t taken = 0, count = kBatch; count == kBatch && taken < kRecordsOfASource; taken += count) {
      count = source(batch_);
      for (size_t i = 0; i < count; ++i) decided(batch_[i], clocks);
    }
  }
  for (const Ended& end : ends) ended(end, clocks);
  flush_file(clocks);
  flush_collector(clocks);
}

void Writer::decided(Record& record, const Clocks& clocks) {
  if (!rate_.admit(clocks.steady)) return probe_.lost(Loss::rate);
  if (sources_.complete) sources_.complete(record);
  if (!record.alone) track(record);
  if (file_) {
    json_.decided(record, clocks, lines_);
    ++line_count_;
  }
  if (collector_) encoder_.decided(record, clocks);
  if (lines_.size() >= kMostAtOnce) flush_file(clocks);
}

void Writer::track(const Record& record) {
  if (by_serial_.size() >= options_.max_tracked) {
    by_serial_.erase(order_.front().record.serial);
    order_.pop_front();
    probe_.lost(Loss::untracked);
  }
  order_.push_back({record, 1, record.frame_bytes});
  by_serial_[record.serial] = std::prev(order_.end());
}

void Writer::merge(const Tracked& flow, uint64_t into) {
  const auto known = by_serial_.find(into);
  if (known == by_serial_.end()) return;
  known->second->packets += flow.packets;
  known->second->bytes += flow.bytes;
}

// Of a flow that is not known its record was not told either, and counted.
void Writer::ended(Ended end, const Clocks& clocks) {
  const auto known = by_serial_.find(end.serial);
  if (known == by_serial_.end()) return;
  const Tracked flow = *known->second;
  order_.erase(known->second);
  by_serial_.erase(known);
  if (end.reason == EndReason::merged) return merge(flow, end.into);
  if (!rate_.admit(clocks.steady)) return probe_.lost(Loss::rate);
  end.packets += flow.packets;
  end.bytes += flow.bytes;
  if (file_) {
    json_.ended(flow.record, end, clocks, lines_);
    ++line_count_;
  }
  if (collector_) encoder_.ended(flow.record, end, clocks);
  if (lines_.size() >= kMostAtOnce) flush_file(clocks);
}

void Writer::flush_file(const Clocks& clocks) {
  if (line_count_ == 0) return;
  if (file_->append(lines_, clocks.steady)) {
    probe_.written(line_count_);
  } else {
    probe_.file_error();
    probe_.lost(Loss::file, line_count_);
    tell_file_error(clocks.steady, line_count_);
  }
  lines_.clear();
  line_count_ = 0;
}

void Writer::tell_file_error(Time now, uint64_t records) {
  const auto before = file_words_.admit(now);
  if (!before) return;
  log::warning(log::Component::flows,
               "flow log: the file cannot be written, and its records are lost: make its directory, free the disk, or "
               "set flow_log.file to another one",
               {{"error", file_->error()}, {"records", records}, {"before", *before}});
}

void Writer::flush_collector(const Clocks& clocks) {
  if (!collector_) return;
  for (const auto& message : encoder_.take(clocks)) {
    const Collector::Result result = collector_->send(message.bytes);
    result.sent ? probe_.sent(message.records) : probe_.lost(Loss::collector, message.records);
    if (result.errors == 0) continue;
    probe_.collector_errors(result.errors);
    if (const auto before = collector_words_.admit(clocks.steady)) {
      log::warning(log::Component::flows, "flow log: the IPFIX collector is not reached",
                   {{"error", collector_->error()}, {"before", *before}});
    }
  }
  // It may have changed, by what the last messages met.
  if (const size_t limit = collector_->message_limit(); limit > 0) encoder_.limit(limit);
}

}  // namespace viaduct::observability::flow_log
