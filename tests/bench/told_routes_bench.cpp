// What it costs to tell the cluster what two gateways lead to, and another host of it, without disks and lines between.
//
//   host1 ── port21, port23 (uplinks) ── router2 ── port22 ── host2
//
// outbox -> bytes -> state tables -> store -> watch -> feed -> bytes -> the mirror of host2, with its next network
#include <benchmark/benchmark.h>

#include <condition_variable>
#include <map>
#include <mutex>

#include "actors/agent/learned_parts.hpp"
#include "actors/agent/mirror_state.hpp"
#include "actors/agent/state_outbox.hpp"
#include "actors/cluster/feed_backlog.hpp"
#include "actors/cluster/host_states.hpp"
#include "actors/cluster/nsdb_view.hpp"
#include "flows/simulation/network_views.hpp"
#include "topology/codec.hpp"
#include "topology/store/memory_store.hpp"

namespace viaduct::actors {
namespace {

namespace store = topology::store;

constexpr std::chrono::seconds kLease{3'600};
const HostId kOne(Uuid::from_words(0, 101)), kTwo(Uuid::from_words(0, 102));
const RouterId kRouter(Uuid::from_words(0, 2));
const PortId kUplinks[] = {PortId(Uuid::from_words(0, 21)), PortId(Uuid::from_words(0, 23))};
const PortId kGuests(Uuid::from_words(0, 22));

topology::Port router_port(PortId id, const std::string& name, HostId host, std::string_view address) {
  topology::Port port;
  port.id = id;
  port.name = name;
  port.router = kRouter;
  port.host = host;
  port.interface = name;
  port.mac = MacAddress::from_uint64(0x0200'0000'0000 + id.uuid().low());
  port.addresses.push_back(IpPrefix::parse(address).value());
  return port;
}

// Of all that was written; each revision once.
class Changes {
 public:
  Changes(store::Store& store, store::Revision from)
      : watch_(store.watch(from, "", [this](store::WatchMessage message) {
          std::lock_guard lock(mutex_);
          batches_.push_back(std::get<store::WatchBatch>(std::move(message)));
          grown_.notify_all();
        })) {}
  std::vector<store::WatchBatch> up_to(store::Revision revision) {
    std::unique_lock lock(mutex_);
    grown_.wait(lock, [&] { return !batches_.empty() && batches_.back().revision >= revision; });
    return std::exchange(batches_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable grown_;
  std::vector<store::WatchBatch> batches_;
  std::unique_ptr<store::Watch> watch_;  // last: it calls back
};

struct Bytes {
  size_t written = 0, writes = 0, largest = 0, fed = 0, largest_fed = 0;
  void sent(const schema::Frame& feed) {
    fed += feed.bytes.size();
    largest_fed = std::max(largest_fed, feed.bytes.size());
  }
};

// A host that gets its feed.
struct Reader {
  void take(const topology::FeedBatch& batch, Bytes& bytes) {
    const schema::Frame frame = topology::encode_feed(batch);
    bytes.sent(frame);
    std::string error;
    auto pending = mirror.prepare(frame, error);
    network = mirror.finish(std::move(*pending), std::nullopt).network;
  }
  size_t routes() const { return network->router(kRouter)->fib.size(); }

  MirrorState mirror{kTwo};
  std::shared_ptr<const flows::simulation::Network> network;
};

struct Cluster {
  Cluster() {
    store::Transaction first;
    topology::Router router;
    router.id = kRouter;
    router.name = "r2";
    const topology::Object objects[] = {router, router_port(kUplinks[0], "up1", kOne, "10.9.0.1/24"),
                                        router_port(kUplinks[1], "up2", kOne, "10.8.0.1/24"),
                                        router_port(kGuests, "guests", kTwo, "10.0.0.1/24")};
    for (const auto& object : objects) {
      first.puts.push_back(
          {topology::key_of(topology::ref_of(object)), store::to_value(topology::encode_object(object).bytes)});
    }
    const auto committed = nsdb->commit(first);
    const auto wrong = view.load(*nsdb);
    if (!committed || wrong) throw std::runtime_error("the store does not take the topology");
    node.follow({view.snapshot(), {}, true});
    epoch = node.begin({kOne, "host1", "first"}, {}).epoch;
    changes = std::make_unique<Changes>(*nsdb, view.revision() + 1);
  }
  // Everything that the outbox has, as after a join, until it is in the tables.
  void tell(Bytes& bytes) {
    outbox.joined();
    while (auto write = outbox.next(state, {})) {
      const schema::Frame frame = topology::encode_state_write(*write);
      bytes.written += frame.bytes.size();
      bytes.largest = std::max(bytes.largest, frame.bytes.size());
      ++bytes.writes;
      auto passed = topology::decode_state_write(frame);
      const auto written = node.write({kOne, epoch, std::make_shared<const topology::StateWrite>(std::move(*passed))});
      outbox.written(&written);
    }
  }
  // The batches for host2.
  std::vector<FeedBatchPtr> batches() {
    std::vector<FeedBatchPtr> out;
    for (const auto& batch : changes->up_to(nsdb->revision())) {
      for (const FeedPart& part : view.follow(batch, {}).parts) {
        if (std::find(part.hosts.begin(), part.hosts.end(), kTwo) != part.hosts.end()) out.push_back(part.batch);
      }
    }
    return out;
  }
  // As a subscription does: what comes while the first one is applied goes together.
  void feed(Reader& reader, Bytes& bytes) {
    FeedBacklog backlog;
    for (const auto& batch : batches()) {
      backlog.add(batch);
      if (bytes.fed == 0) reader.take(*backlog.take(), bytes);
    }
    while (const auto rest = backlog.take()) reader.take(*rest, bytes);
  }

  std::unique_ptr<store::Store> nsdb = store::make_memory_store();
  NsdbView view;
  HostStates node{*nsdb, "node", kLease};
  uint64_t epoch = 0;
  std::unique_ptr<Changes> changes;
  AgentState state;
  StateOutbox outbox{kOne};
};

// By each of the two gateways.
const RoutesLearned& learned(int64_t prefixes) {
  static std::map<int64_t, RoutesLearned> made;
  RoutesLearned& out = made[prefixes];
  if (!out.said.empty()) return out;
  for (const PortId uplink : kUplinks) {
    LearnedParts parts(uplink);
    const IpAddress gateway = uplink == kUplinks[0] ? IpAddress::v4(0x0a09'00fe) : IpAddress::v4(0x0a08'00fe);
    for (int64_t i = 0; i < prefixes; ++i) {
      const auto number = static_cast<uint32_t>(i);
      parts.learn(IpPrefix(IpAddress::v4(0x1400'0000 + (number << 8)), 24), {gateway});
    }
    auto said = parts.take().said;
    out.said.insert(out.said.end(), said.begin(), said.end());
  }
  return out;
}

void report(benchmark::State& state, const Bytes& bytes) {
  state.counters["written_bytes"] = static_cast<double>(bytes.written);
  state.counters["writes"] = static_cast<double>(bytes.writes);
  state.counters["largest_write"] = static_cast<double>(bytes.largest);
  state.counters["fed_bytes"] = static_cast<double>(bytes.fed);
  state.counters["largest_feed"] = static_cast<double>(bytes.largest_fed);
}

// From the outbox into the tables, and to a host that has the feed already.
void tell_routes(benchmark::State& state) {
  const RoutesLearned& news = learned(state.range(0));
  Bytes bytes;
  for (auto _ : state) {
    state.PauseTiming();
    bytes = {};
    auto cluster = std::make_unique<Cluster>();
    auto reader = std::make_unique<Reader>();
    reader->take(cluster->view.whole(kTwo), bytes);
    bytes = {};
    cluster->outbox.lease({});
    const size_t before = reader->routes();
    state.ResumeTiming();
    cluster->outbox.routed(news);
    cluster->tell(bytes);
    cluster->feed(*reader, bytes);
    state.PauseTiming();
    if (reader->routes() - before < static_cast<size_t>(state.range(0))) state.SkipWithError("not all has come");
    reader.reset();
    cluster.reset();
    state.ResumeTiming();
  }
  report(state, bytes);
}

// The cluster's part of it: from the outbox into the tables, and the bytes that go to hosts.
void write_routes(benchmark::State& state) {
  const RoutesLearned& news = learned(state.range(0));
  Bytes bytes;
  for (auto _ : state) {
    state.PauseTiming();
    bytes = {};
    auto cluster = std::make_unique<Cluster>();
    cluster->outbox.lease({});
    state.ResumeTiming();
    cluster->outbox.routed(news);
    cluster->tell(bytes);
    for (const auto& batch : cluster->batches()) bytes.sent(topology::encode_feed(*batch));
    state.PauseTiming();
    cluster.reset();
    state.ResumeTiming();
  }
  report(state, bytes);
}

// After a join, when all is in the tables already.
void tell_routes_again(benchmark::State& state) {
  Cluster cluster;
  cluster.outbox.lease({});
  cluster.outbox.routed(learned(state.range(0)));
  Bytes bytes;
  cluster.tell(bytes);
  const auto before = cluster.nsdb->revision();
  for (auto _ : state) {
    bytes = {};
    cluster.tell(bytes);
  }
  if (cluster.nsdb->revision() != before) state.SkipWithError("something was written");
  report(state, bytes);
}

// A host that comes when all is there: one frame.
void routes_for_a_newcomer(benchmark::State& state) {
  Cluster cluster;
  cluster.outbox.lease({});
  cluster.outbox.routed(learned(state.range(0)));
  Bytes bytes;
  cluster.tell(bytes);
  NsdbView view;
  if (view.load(*cluster.nsdb)) state.SkipWithError("the store cannot be read");
  for (auto _ : state) {
    bytes = {};
    Reader reader;
    reader.take(view.whole(kTwo), bytes);
    if (reader.routes() < static_cast<size_t>(state.range(0))) state.SkipWithError("not all has come");
    view.rest();
  }
  report(state, bytes);
}

BENCHMARK(write_routes)
    ->ArgName("routes")
    ->Arg(100'000)
    ->Arg(800'000)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime();
BENCHMARK(tell_routes)
    ->ArgName("routes")
    ->Arg(100'000)
    ->Arg(800'000)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime();
BENCHMARK(tell_routes_again)->ArgName("routes")->Arg(100'000)->Arg(800'000)->Unit(benchmark::kMillisecond);
BENCHMARK(routes_for_a_newcomer)->ArgName("routes")->Arg(100'000)->Arg(800'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace viaduct::actors
