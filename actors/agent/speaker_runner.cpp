#include "actors/agent/speaker_runner.hpp"

#include <net/if.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <utility>

#include "actors/agent/bgp_status.hpp"
#include "actors/agent/speaker_routes.hpp"
#include "actors/runtime/backoff.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;
namespace bgp = routing::bgp;
using Time = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kFirstPause{1'000};
constexpr milliseconds kLongestPause{30'000};
constexpr uint32_t kUsualMtu = 1500;             // while the port's interface is not there: it may come
constexpr std::chrono::seconds kMtuInterval{5};  // of looking whether it is another

Time clock_now() { return std::chrono::steady_clock::now(); }

// Of an interface of this host; nothing when there is none of this name.
std::optional<uint32_t> mtu_of(const std::string& interface) {
  ifreq request{};
  if (interface.size() >= sizeof request.ifr_name) return std::nullopt;
  std::memcpy(request.ifr_name, interface.data(), interface.size());
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool known = socket >= 0 && ioctl(socket, SIOCGIFMTU, &request) == 0;
  if (socket >= 0) close(socket);
  return known ? std::optional(static_cast<uint32_t>(request.ifr_mtu)) : std::nullopt;
}

// What fits through both, the port (0: it has no limit of its own) and its interface.
uint32_t least_mtu(const SpeakerPlan& plan, uint32_t interface) {
  return plan.uplink.mtu == 0 ? interface : std::min(plan.uplink.mtu, interface);
}

bool same_peer(const bgp::PeerStatus& a, const bgp::PeerStatus& b) {
  bgp::PeerStatus now = a;
  now.uptime = b.uptime;
  return now == b;
}
bool same_daemon(const bgp::DaemonStatus& a, const bgp::DaemonStatus& b) {
  return a.running == b.running && a.pid == b.pid && a.starts == b.starts;
}

}  // namespace

bool same(const SpeakerStatus& a, const SpeakerStatus& b) {
  return a.problem == b.problem && std::ranges::equal(a.peers, b.peers, same_peer) &&
         std::ranges::equal(a.daemons, b.daemons, same_daemon) && a.prefixes == b.prefixes && a.surplus == b.surplus &&
         a.refused == b.refused && a.malformed == b.malformed && a.restarting == b.restarting;
}

// What happens on the thread.
class SpeakerRunner::Work {
 public:
  Work(SpeakerSetup setup, const std::function<void(SpeakerSaid)>& tell)
      : setup_(std::move(setup)), tell_(tell), routes_(setup_.port) {
    if (!setup_.adopted.empty()) expected_ = routes_.adopt(std::exchange(setup_.adopted, {}));
    routes_.keep_only(setup_.plan.config.peers);
  }

  void follow(SpeakerPlan plan) {
    const bool anew = !plan.same_uplink(setup_.plan);
    setup_.plan = std::move(plan);
    routes_.keep_only(setup_.plan.config.peers);
    if (!speaker_) {
      start_at_ = clock_now();
    } else if (anew) {
      begin_anew();
    } else {
      report(speaker_->reconfigure(setup_.plan.config, setup_.plan.uplink.routes));
    }
  }

  void step() {
    const Time now = clock_now();
    if (!speaker_ && now >= start_at_) start(now);
    if (speaker_) {
      speaker_->step();
      routes_.hear(speaker_->peers(), setup_.plan.config.peers);
      routes_.learn(speaker_->take_route_changes());
      if (restarted_ && speaker_->rib().phase() == bgp::Rib::Phase::normal) settled();
    } else if (restarted_ && now > doubted_at_ + setup_.plan.config.restart_time) {
      settled();  // and it does not even run
    }
    if (speaker_ && now >= mtu_due_) look_at_mtu(now);
    say(now);
  }

  std::vector<pollfd> descriptors() const { return speaker_ ? speaker_->descriptors() : std::vector<pollfd>{}; }
  Time next_deadline() const {
    const Time own = speaker_ ? std::min(speaker_->next_deadline(), mtu_due_) : start_at_;
    return std::min(own, routes_.next_deadline().value_or(own));
  }

  void end(End how) {
    if (how == End::withdraw) {
      routes_.end();
      tell_(word(routes_.take(Time::max())));
    }
    if (speaker_) report(speaker_->stop(how == End::withdraw ? bgp::Farewell::cease : bgp::Farewell::none));
    speaker_.reset();
  }
  // An exception: what it had learned cannot be kept up to date.
  void die(const std::string& why) {
    try {
      end(End::withdraw);
    } catch (const std::exception& again) {
      log::error(log::Component::routing, "a BGP speaker cannot end in order", {{"reason", again.what()}});
    }
    SpeakerSaid last = word({});
    last.died = why;
    tell_(std::move(last));
  }

 private:
  void start(Time now) {
    bgp::SpeakerOptions options{setup_.name, setup_.run_directory, setup_.plan.uplink};
    mtu_ = options.uplink.mtu = least_mtu(setup_.plan, mtu_of(setup_.plan.interface).value_or(kUsualMtu));
    mtu_due_ = now + kMtuInterval;
    options.frr_directory = setup_.frr_directory;
    options.expected = expected_peers();
    speaker_ = std::make_unique<bgp::FrrSpeaker>(options, setup_.plan.config);
    problem_ = speaker_->start().value_or("");
    if (problem_.empty()) {
      log::info(log::Component::routing, "a router's port speaks BGP",
                {{"router", setup_.plan.router_name}, {"port", setup_.plan.port_name}, {"namespace", setup_.name}});
      return;
    }
    report(problem_);
    speaker_.reset();
    start_at_ = now + backoff_.next(now);
  }

  // What was learned stays until it is told again.
  void begin_anew() {
    const bool all_told = !restarted_ && speaker_->rib().phase() == bgp::Rib::Phase::normal;
    if (all_told) expected_.clear();  // else who was to come back before is still to
    for (const IpAddress& peer : bgp::established(speaker_->peers())) expected_.push_back(peer);
    report(speaker_->stop(bgp::Farewell::none));
    speaker_.reset();
    routes_.doubt();
    if (!restarted_) doubted_at_ = clock_now();
    restarted_ = true;
    start_at_ = clock_now();
  }
  void settled() {
    restarted_ = false;
    expected_.clear();
    routes_.settled();
  }

  // By whose word routes went. A gateway that is no peer (of one beyond the link, or whom a route server named) may have been
  // told by any of them.
  std::vector<IpAddress> expected_peers() const {
    std::vector<IpAddress> out;
    for (const IpAddress& gateway : expected_) {
      const auto& peers = setup_.plan.config.peers;
      const bool is_peer = std::ranges::find(peers, gateway, &bgp::SpeakerPeer::address) != peers.end();
      for (const auto& peer : peers) {
        if (is_peer ? peer.address == gateway : peer.address.family() == gateway.family()) out.push_back(peer.address);
      }
    }
    return out;
  }

  void look_at_mtu(Time now) {
    mtu_due_ = now + kMtuInterval;
    const auto interface = mtu_of(setup_.plan.interface);
    if (!interface || least_mtu(setup_.plan, *interface) == mtu_) return;
    log::info(log::Component::routing, "a BGP speaker begins anew with another MTU",
              {{"router", setup_.plan.router_name}, {"port", setup_.plan.port_name}, {"interface_mtu", *interface}});
    begin_anew();
  }

  void report(const bgp::Problem& problem) const {
    if (!problem) return;
    log::error(log::Component::routing, "trouble with the BGP speaker of a port",
               {{"router", setup_.plan.router_name}, {"port", setup_.plan.port_name}, {"reason", *problem}});
  }

  SpeakerSaid word(RoutesLearned routes) const { return {setup_.port, setup_.life, std::move(routes)}; }
  void say(Time now) {
    SpeakerSaid said = word(routes_.take(now));
    SpeakerStatus status = this->status(now);
    if (!said_ || !same(*said_, status)) said.status = said_ = std::make_shared<const SpeakerStatus>(std::move(status));
    if (said.status || !said.routes.said.empty() || !said.routes.ended.empty()) tell_(std::move(said));
  }

  SpeakerStatus status(Time now) const {
    SpeakerStatus out{.problem = problem_, .asked = now, .prefixes = routes_.prefixes(), .restarting = restarted_};
    if (!speaker_) return out;
    out.problem = speaker_->problem().value_or("");
    out.peers = speaker_->peers();
    for (size_t i = 0; i < out.daemons.size(); ++i) out.daemons[i] = speaker_->daemon(static_cast<bgp::FrrDaemon>(i));
    out.surplus = speaker_->rib().surplus();
    out.refused = speaker_->rib().refused();
    out.malformed = speaker_->fpm_counters().malformed;
    out.restarting |= speaker_->rib().phase() != bgp::Rib::Phase::normal;
    return out;
  }

  SpeakerSetup setup_;
  const std::function<void(SpeakerSaid)>& tell_;
  SpeakerRoutes routes_;
  std::unique_ptr<bgp::FrrSpeaker> speaker_;  // none: it could not start, and will be tried again
  std::vector<IpAddress> expected_;           // gateways whose routes are known from before
  bool restarted_ = true;                     // and have not been told again
  Time doubted_at_ = clock_now();             // since when
  uint32_t mtu_ = 0;                          // as it has it
  Time mtu_due_{};
  std::string problem_;  // why it does not run
  std::shared_ptr<const SpeakerStatus> said_;
  Backoff backoff_{kFirstPause, kLongestPause};
  Time start_at_{};
};

SpeakerRunner::SpeakerRunner(SpeakerSetup setup, std::function<void(SpeakerSaid)> tell)
    : tell_(std::move(tell)), bell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (bell_ < 0) throw std::runtime_error(std::string("eventfd: ") + std::strerror(errno));
  thread_ = std::thread([this, setup = std::move(setup)]() mutable { run(std::move(setup)); });
}

SpeakerRunner::~SpeakerRunner() {
  order([](Orders& orders) {
    if (!orders.end) orders.end = End::keep;
  });
  thread_.join();
  close(bell_);
}

void SpeakerRunner::order(const std::function<void(Orders&)>& change) {
  {
    std::lock_guard lock(mutex_);
    change(orders_);
  }
  const uint64_t one = 1;
  [[maybe_unused]] const auto written = write(bell_, &one, sizeof one);  // full: it rings already
}

void SpeakerRunner::follow(SpeakerPlan plan) {
  order([&](Orders& orders) { orders.plan = std::move(plan); });
}
void SpeakerRunner::end(End how) {
  order([&](Orders& orders) { orders.end = how; });
}

SpeakerRunner::Orders SpeakerRunner::take_orders() {
  uint64_t rings = 0;
  [[maybe_unused]] const auto read = ::read(bell_, &rings, sizeof rings);  // empty: nobody has rung
  std::lock_guard lock(mutex_);
  Orders out = orders_;
  orders_.plan.reset();
  return out;
}

void SpeakerRunner::live(Work& work) {
  while (true) {
    Orders orders = take_orders();
    if (orders.end) return work.end(*orders.end);
    if (orders.plan) work.follow(std::move(*orders.plan));
    work.step();
    std::vector<pollfd> watched = work.descriptors();
    watched.push_back({bell_, POLLIN, 0});
    const auto wait = std::chrono::ceil<milliseconds>(work.next_deadline() - clock_now());
    poll(watched.data(), watched.size(), static_cast<int>(std::clamp<long>(wait.count(), 0, 1'000)));
  }
}

void SpeakerRunner::run(SpeakerSetup setup) {
  {
    Work work(std::move(setup), tell_);
    try {
      live(work);
    } catch (const std::exception& problem) {
      work.die(problem.what());
    }
  }
  ended_ = true;
}

}  // namespace viaduct::actors
