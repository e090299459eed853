#include "routing/bgp/frr_speaker.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "observability/log.hpp"
#include "routing/bgp/fpm_link.hpp"
#include "routing/bgp/frr_config.hpp"
#include "routing/bgp/frr_daemon.hpp"
#include "routing/bgp/frr_launch.hpp"
#include "routing/bgp/restart_watch.hpp"
#include "routing/bgp/run_directory.hpp"
#include "routing/bgp/uplink_ways.hpp"

namespace viaduct::routing::bgp {

namespace log = observability::log;
using log::Component;
using namespace std::chrono_literals;

namespace {

constexpr auto kStatusInterval = 1s;
constexpr auto kRepeatInterval = 20ms;  // of asking sooner

Time clock_now() { return std::chrono::steady_clock::now(); }

// A command as it may be logged.
std::string without_secret(const std::string& command) {
  const size_t at = command.find(" password ");
  return at == std::string::npos ? command : command.substr(0, at) + " password ...";
}

RibLimits limits_of(const SpeakerConfig& config) {
  RibLimits out;
  uint64_t sums[2] = {0, 0};
  bool unlimited[2] = {false, false};
  for (const SpeakerPeer& peer : config.peers) {
    out.per_gateway[peer.address] = peer.prefix_limit;
    sums[peer.address.is_v6()] += peer.prefix_limit;
    unlimited[peer.address.is_v6()] |= peer.prefix_limit == 0;
  }
  out.other_v4 = unlimited[0] ? 0 : static_cast<uint32_t>(std::min<uint64_t>(sums[0], UINT32_MAX));
  out.other_v6 = unlimited[1] ? 0 : static_cast<uint32_t>(std::min<uint64_t>(sums[1], UINT32_MAX));
  return out;
}

}  // namespace

class FrrSpeaker::Impl {
 public:
  Impl(SpeakerOptions options, SpeakerConfig config) : options_(std::move(options)), config_(std::move(config)) {}
  ~Impl() { stop(Farewell::cease); }

  Problem start() {
    if (started_) return "speaker " + options_.name + " is started already";
    if (auto problem = check(config_)) return problem;
    if (auto problem = check_options(options_)) return problem;
    started_ = true;
    Problem problem = build();
    if (problem) stop(Farewell::cease);
    return problem;
  }

  Problem reconfigure(const SpeakerConfig& config, const std::vector<UplinkRoute>& routes) {
    if (auto problem = check(config)) return problem;
    config_ = config;
    if (!started_) {
      ways_ = UplinkWays(routes);
      return std::nullopt;
    }
    ways_.want(options_.name, routes);
    tell_rib(clock_now());
    problem_ = write_files();
    bring_up_to_date(clock_now());
    if (auto problem = ways_.settle(options_.name); problem && !problem_) problem_ = problem;
    return problem_;
  }

  Problem stop(Farewell farewell) {
    if (!started_) return std::nullopt;
    started_ = false;
    const Time now = clock_now();
    farewell == Farewell::cease ? end_sessions(now) : abandon();
    fpm_.close();
    peers_.clear();
    Problem out = remove_namespace(options_.name, options_.uplink.outer);
    if (auto problem = remove_run_directory(options_.run_directory); problem && !out) out = problem;
    return out;
  }

  std::vector<pollfd> descriptors() const {
    std::vector<pollfd> out;
    fpm_.add_descriptors(out);
    for (const FrrDaemonProcess& daemon : daemons_) daemon.add_descriptors(out);
    return out;
  }

  Time next_deadline() const {
    Time out = status_due_;
    for (const FrrDaemonProcess& daemon : daemons_) {
      if (!daemon.running() && may_run(daemon)) out = std::min(out, daemon.may_start_at());
      if (const auto due = daemon.next_deadline()) out = std::min(out, *due);
    }
    return std::min(out, rib_.next_deadline().value_or(out));
  }

  void step() {
    if (!started_) return;
    const Time now = clock_now();
    for (size_t i = 0; i < daemons_.size(); ++i) {
      if (daemons_[i].reap(now)) died(static_cast<FrrDaemon>(i), now);
    }
    for (FrrDaemonProcess& daemon : daemons_) {
      if (daemon.advance(now)) became_ready(daemon, now);
      if (!daemon.running() && may_run(daemon) && now >= daemon.may_start_at()) begin(daemon, now);
    }
    read_routes(now);
    if (now >= status_due_) ask_for_status(now);
    for (RouteChange& change : rib_.take_changes(now)) changes_[change.prefix] = std::move(change.gateways);
  }

  std::vector<RouteChange> take_route_changes() {
    std::vector<RouteChange> out;
    for (auto& [prefix, gateways] : changes_) out.push_back({prefix, std::move(gateways)});
    changes_.clear();
    return out;
  }

  DaemonStatus daemon(FrrDaemon which) const {
    if (daemons_.empty()) return {};
    const FrrDaemonProcess& one = daemons_[static_cast<size_t>(which)];
    return {one.ready(), one.pid(), one.starts(), one.last_end()};
  }
  const Problem& problem() const { return problem_; }
  const std::vector<PeerStatus>& peers() const { return peers_; }
  const Rib& rib() const { return rib_; }
  const FpmCounters& fpm_counters() const { return fpm_.counters(); }

 private:
  // A bgpd that only ends would leave peers with graceful restart waiting for it.
  void end_sessions(Time now) {
    if (auto* bgpd = find(FrrDaemon::bgpd)) {
      for (const std::string& line :
           {std::string("configure terminal"), "no router bgp " + std::to_string(applied_.as_number)}) {
        bgpd->command(line, now);
      }
    }
    while (!daemons_.empty()) {
      daemons_.back().stop(now + options_.stop_patience);
      daemons_.pop_back();
    }
  }
  void abandon() {
    while (!daemons_.empty()) {
      daemons_.back().abandon();
      daemons_.pop_back();
    }
  }

  Problem build() {
    const std::string& name = options_.name;
    if (auto problem = remove_namespace(name, options_.uplink.outer)) return problem;  // of an earlier life
    if (auto problem = make_namespace(name)) return problem;
    Uplink uplink = options_.uplink;
    uplink.routes = ways_.wanted();
    if (auto problem = make_uplink(name, uplink)) return problem;
    if (auto problem = make_run_directory(options_.run_directory, options_.user)) return problem;
    if (auto problem = fpm_.listen(name)) return problem;
    const Time now = clock_now();
    tell_rib(now);
    if (!options_.expected.empty()) {
      restart_.begin(options_.expected);
      rib_.restart_begins(now + config_.restart_time);
    }
    if (auto problem = write_files()) return problem;
    for (const FrrDaemon which : {FrrDaemon::zebra, FrrDaemon::bfdd, FrrDaemon::bgpd}) {
      FrrLaunch launch = launch_of(which, options_);
      daemons_.emplace_back(to_string(which), std::move(launch.child), std::move(launch.sockets));
    }
    asked_ = now;
    status_due_ = now + kStatusInterval;
    begin(*find(FrrDaemon::zebra), now);
    if (!find(FrrDaemon::zebra)->running()) return find(FrrDaemon::zebra)->last_end();
    return std::nullopt;
  }

  FrrDaemonProcess* find(FrrDaemon which) { return daemons_.empty() ? nullptr : &daemons_[static_cast<size_t>(which)]; }

  // The others find zebra when they start, or ten seconds later.
  bool may_run(const FrrDaemonProcess& daemon) const {
    return &daemon == &daemons_.front() || daemons_.front().ready();
  }

  void begin(FrrDaemonProcess& daemon, Time now) {
    if (&daemon == find(FrrDaemon::bgpd)) applied_ = filed_;
    daemon.start(now);
  }

  void tell_rib(Time now) {
    std::vector<IpAddress> addresses;
    for (const IpPrefix& one : options_.uplink.addresses) addresses.push_back(one.address());
    rib_.set_own(config_.networks, std::move(addresses), now);
    rib_.set_limits(limits_of(config_));
  }

  Problem write_files() {
    const FrrFiles files = render(config_, fpm_.port());
    for (const auto& [name, text] : {std::pair("zebra", &files.zebra), {"bfdd", &files.bfdd}, {"bgpd", &files.bgpd}}) {
      if (auto problem = write_run_file(options_.run_directory + "/" + name + ".conf", options_.user, *text))
        return problem;
    }
    filed_ = config_;
    return std::nullopt;
  }

  // From what the daemons have to what is wanted.
  void bring_up_to_date(Time now) {
    if (!find(FrrDaemon::bgpd)->ready()) return;  // called again when it is
    const FrrChanges wanted = changes(applied_, config_);
    applied_ = config_;
    tell(FrrDaemon::bfdd, wanted.bfdd, now);
    tell(FrrDaemon::bgpd, wanted.bgpd, now);
  }

  // One that refuses a command is started again: it reads the files.
  void tell(FrrDaemon which, const std::vector<std::string>& lines, Time now) {
    FrrDaemonProcess& daemon = *find(which);
    for (const std::string& line : lines) {
      if (!daemon.ready()) return;
      const auto answer = daemon.command(line, now);
      if (answer && answer->status <= VtyStatus::warning) continue;
      log::error(Component::routing, "daemon refuses a command and is started again",
                 {{"daemon", to_string(which)},
                  {"command", without_secret(line)},
                  {"answer", answer ? answer->output : "none"}});
      daemon.kill(now);
      return;
    }
  }

  // What was wanted since it read its file.
  void became_ready(const FrrDaemonProcess& daemon, Time now) {
    if (&daemon == find(FrrDaemon::bfdd)) tell(FrrDaemon::bfdd, bfdd_commands(config_), now);
    if (&daemon == find(FrrDaemon::bgpd)) bring_up_to_date(now);
  }

  void died(FrrDaemon which, Time now) {
    if (which == FrrDaemon::bfdd) return;
    if (rib_.phase() == Rib::Phase::normal) restart_.begin(established(peers_));
    peers_.clear();
    rib_.restart_begins(now + config_.restart_time);
    if (which != FrrDaemon::zebra) return;
    for (const FrrDaemon other : {FrrDaemon::bgpd, FrrDaemon::bfdd}) find(other)->kill(now);
  }

  void read_routes(Time now) {
    std::vector<RouteNews> news;
    const FpmLink::Event event = fpm_.read(news);
    for (const RouteNews& one : news) {
      log::trace(Component::routing, "route", {{"prefix", one.prefix.to_string()}, {"gateways", one.gateways.size()}});
      // Perhaps a peer is lost: that is said sooner than each of its routes.
      if (one.removed) status_due_ = std::min(status_due_, asked_ + kRepeatInterval);
      rib_.learn(one, now);
    }
    if (event != FpmLink::Event::lost) return;
    log::warning(Component::routing, "zebra's stream of routes has ended", {{"speaker", options_.name}});
    if (rib_.phase() == Rib::Phase::normal) restart_.begin({});  // sessions are as they were
    rib_.stream_lost(now + config_.restart_time);
  }

  void ask_for_status(Time now) {
    asked_ = now;
    status_due_ = now + kStatusInterval;
    if (problem_) {
      problem_ = write_files();
      if (auto problem = ways_.settle(options_.name); problem && !problem_) problem_ = problem;
    }
    const auto answer = find(FrrDaemon::bgpd)->command("show bgp neighbors json", now);
    if (!answer) return;
    if (auto found = parse_peer_status(answer->output)) {
      peers_ = *std::move(found);
    } else {
      log::error(Component::routing, "bgpd's list of peers cannot be read", {{"speaker", options_.name}});
    }
    const bool all_run = std::all_of(daemons_.begin(), daemons_.end(), [](auto& one) { return one.ready(); });
    if (rib_.phase() == Rib::Phase::away && all_run && fpm_.connected() && restart_.over(peers_, config_))
      rib_.settled(now);
  }

  const SpeakerOptions options_;
  UplinkWays ways_{options_.uplink.routes};
  SpeakerConfig config_;
  SpeakerConfig applied_;  // what bgpd has, or reads as it starts
  SpeakerConfig filed_;    // what the files say
  Problem problem_;        // why that is not config_
  bool started_ = false;
  std::deque<FrrDaemonProcess> daemons_;  // in the order of FrrDaemon; empty: not started
  FpmLink fpm_;
  Rib rib_;
  std::map<IpPrefix, std::vector<IpAddress>> changes_;
  std::vector<PeerStatus> peers_;
  RestartWatch restart_;
  Time asked_{}, status_due_{};  // for peers
};

FrrSpeaker::FrrSpeaker(SpeakerOptions options, SpeakerConfig config)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(config))) {}
FrrSpeaker::~FrrSpeaker() = default;
Problem FrrSpeaker::start() { return impl_->start(); }
Problem FrrSpeaker::reconfigure(const SpeakerConfig& config, const std::vector<UplinkRoute>& routes) {
  return impl_->reconfigure(config, routes);
}
Problem FrrSpeaker::stop(Farewell farewell) { return impl_->stop(farewell); }
std::vector<pollfd> FrrSpeaker::descriptors() const { return impl_->descriptors(); }
Time FrrSpeaker::next_deadline() const { return impl_->next_deadline(); }
void FrrSpeaker::step() { impl_->step(); }
std::vector<RouteChange> FrrSpeaker::take_route_changes() { return impl_->take_route_changes(); }
const Problem& FrrSpeaker::problem() const { return impl_->problem(); }
const std::vector<PeerStatus>& FrrSpeaker::peers() const { return impl_->peers(); }
DaemonStatus FrrSpeaker::daemon(FrrDaemon daemon) const { return impl_->daemon(daemon); }
const Rib& FrrSpeaker::rib() const { return impl_->rib(); }
const FpmCounters& FrrSpeaker::fpm_counters() const { return impl_->fpm_counters(); }

void FrrSpeaker::run_for(std::chrono::milliseconds time) {
  const Time until = clock_now() + time;
  while (true) {
    step();
    const Time now = clock_now();
    if (now >= until) return;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(std::min(until, next_deadline()) - now);
    std::vector<pollfd> watched = descriptors();
    poll(watched.data(), watched.size(), static_cast<int>(std::clamp<long>(wait.count(), 0, 1000)));
  }
}

}  // namespace viaduct::routing::bgp
