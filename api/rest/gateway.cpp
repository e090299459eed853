#include "api/rest/gateway.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <optional>

#include "api/rest/call.hpp"
#include "api/rest/compression.hpp"
#include "api/rest/media_type.hpp"
#include "api/rest/openapi.hpp"
#include "api/rest/prometheus_targets.hpp"

namespace viaduct::api::rest {
namespace {

// "http://host:8181/midonet-api/": as the client sees this server (RFC 9110, 7.2; X-Forwarded-* of a proxy in front).
std::string base_of(const Request& request, std::string_view root) {
  std::string_view host = request.header("x-forwarded-host");
  if (host.empty()) host = request.header("host");
  host = host.substr(0, host.find(','));
  std::string_view scheme = request.header("x-forwarded-proto");
  if (scheme != "http" && scheme != "https") scheme = request.encrypted ? "https" : "http";
  const bool plain = !host.empty() && std::ranges::all_of(host, [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '-' || c == ':' || c == '[' || c == ']' || c == '_';
  });
  return std::string(scheme) + "://" + (plain ? std::string(host) : "localhost") + std::string(root) + "/";
}

void add_cors(const Request& request, Response& response) {
  auto& headers = response.headers;
  headers.emplace_back("Access-Control-Allow-Origin", "*");
  headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS");
  headers.emplace_back("Access-Control-Expose-Headers", "Location, X-Request-Id");
  if (request.method != Method::options) return;
  headers.emplace_back("Access-Control-Allow-Headers",
                       "Origin, X-Auth-Token, X-Auth-Project, Content-Type, Accept, Authorization, X-Request-Id");
}

// An IPv6 client has a whole network of addresses to itself.
std::string network_of(const std::string& peer) {
  const auto address = IpAddress::parse(peer);
  return !address || address->is_v4() ? peer : IpPrefix(*address, 64).network().to_string();
}

bool changes(Method method) { return method == Method::post || method == Method::put || method == Method::remove; }

Result<ChangeMode> mode_of(const Request& request) {
  ChangeMode mode;
  if (const std::string* wait = request.parameter("wait")) {
    if (*wait != "applied") {
      return Failure{ExitCode::refused, "invalid", "wait: there is only wait=applied, not '" + *wait + "'", {}, {}};
    }
    mode.wait_applied = true;
  }
  if (const std::string* dry = request.parameter("dry-run")) {
    if (*dry != "true" && *dry != "false") {
      return Failure{ExitCode::refused, "invalid", "dry-run: must be true or false, not '" + *dry + "'", {}, {}};
    }
    mode.dry_run = *dry == "true";
  }
  return mode;
}

}  // namespace

Answer dispatch(Call& call) {
  const auto& path = call.path;
  if (auto allowed = admit(call); !allowed) return allowed.failure();
  if (path.empty()) return answer_root(call);
  if (path[0] == "system_state" && path.size() == 1) return answer_system_state(call);
  if (path[0] == "node_status" && path.size() == 1) return answer_node_status(call);
  if (path[0] == "transactions" && path.size() == 1) return answer_transactions(call);
  if (path[0] == "prometheus" && path.size() == 2 && path[1] == "targets") return answer_prometheus_targets(call);
  if (path[0] == "openapi.json" && path.size() == 1) {
    if (call.method() != Method::get) return no_such_verb(call.method(), path[0]);
    return json_response(openapi(call.context.base()), std::string(kJsonType));
  }
  if (const auto feature = later_feature(path); !feature.empty()) {
    return unsupported("this version of Viaduct does not have " + std::string(feature) + " (" + call.whole_path() +
                       ")");
  }
  if (auto view = answer_view(call)) return *view;
  const Resource* resource = find_resource(path[0]);
  if (resource == nullptr) return no_such_path(call.whole_path());
  if (path.size() == 1) return answer_collection(call, *resource);
  if (path.size() == 2) return answer_object(call, *resource);
  for (const Collection& each : collections()) {
    if (each.parent != path[0]) continue;
    const bool whole = path.size() == 3 && path[2] == each.name;
    const bool inside = path.size() > 3 && each.place != nullptr && std::ranges::find(path, each.name) != path.end();
    if (!whole && !inside) continue;
    auto id = id_of(call, 1);
    return id ? answer_below(call, each, *id) : Answer(id.failure());
  }
  return no_such_path(call.whole_path());
}

namespace {

// "Sun, 22-11-2026 21:00:00 UTC", in which only MidoNet writes dates.
std::string expiry(std::chrono::system_clock::time_point when) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  std::strftime(text, sizeof text, "%a, %d-%m-%Y %H:%M:%S UTC", &parts);
  return text;
}

}  // namespace

Result<Response> Gateway::log_in(const Request& request, User& user) const {
  const auto credentials = parse_basic(request.header("authorization"));
  user.name = credentials ? credentials->user : std::string();
  auto login = links_.access->log_in({user.name, credentials ? credentials->password : std::string(),
                                      std::string(request.header("x-auth-project")), request.peer});
  if (!login) return login.failure();
  const std::string until = login->expires ? expiry(*login->expires) : std::string();
  Response response = json_response({{"key", login->token}, {"expires", until.empty() ? Json(nullptr) : Json(until)}},
                                    vendor_type("Token", 1) + ";charset=UTF-8");
  response.headers.emplace_back("Set-Cookie",
                                "sessionId=" + login->token + (until.empty() ? "" : "; Expires=" + until));
  return response;
}

// GET events: what has changed since the id that the client says, and from now on.
Result<Response> Gateway::watch(const Request& request, const User& user) const {
  if (request.method != Method::get) return no_such_verb(request.method, "events");
  if (links_.events == nullptr) return unsupported("this server has no events");
  auto filter = watch_filter(request);
  if (!filter) return filter.failure();
  if (user.role == Role::member) {
    if (filter->tenant.value_or(user.tenant) != user.tenant) {
      return Failure{
          ExitCode::refused, "forbidden", user.name + " is of the tenant " + user.tenant, "watch that one", {}};
    }
    filter->tenant = user.tenant;
  }
  std::optional<uint64_t> from;
  if (const std::string last(request.header("last-event-id")); !last.empty()) {
    from = UINT64_MAX;  // of another history, until it is a number
    const auto parsed = std::from_chars(last.data(), last.data() + last.size(), *from);
    if (parsed.ec != std::errc{} || parsed.ptr != last.data() + last.size()) from = UINT64_MAX;
  }
  auto stream = links_.events->watch(std::move(*filter), base_of(request, options_.root), from);
  if (!stream) return stream.failure();
  Response response;
  response.media_type = "text/event-stream";
  response.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  response.stream = std::move(*stream);
  return response;
}

// A user's requests; of who is not known, all that come from the same address.
Result<Done> Gateway::count(const Request& request, const User* known, Asked& asked) const {
  if (known != nullptr && !known->counted) return Done{};
  asked.grant = limits_.take(known != nullptr ? "user " + known->name : "address " + network_of(request.peer),
                             std::chrono::steady_clock::now());
  if (asked.grant.allowed) return Done{};
  if (links_.refused) links_.refused(known != nullptr ? "rate_user" : "rate_address");
  return too_many_requests(asked.grant);
}

namespace {

// MidoNet's clients send X-Auth-Token; others, as Prometheus, know only of RFC 6750, 2.1.
std::string_view token_of(const Request& request) {
  const std::string_view own = request.header("x-auth-token");
  if (!own.empty()) return own;
  constexpr std::string_view kBearer = "bearer ";
  const std::string_view header = request.header("authorization");
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  if (header.size() < kBearer.size() ||
      !std::equal(kBearer.begin(), kBearer.end(), header.begin(), [&](char b, char a) { return same(a, b); })) {
    return {};
  }
  return header.substr(kBearer.size());
}

}  // namespace

Result<Response> Gateway::route(const Request& request, Asked& asked) const {
  User& user = asked.user;
  if (request.method == Method::options) return Response{};
  std::vector<std::string> path, root;
  split_path(options_.root, root);
  if (!split_path(request.path, path)) {
    return Failure{ExitCode::refused, "malformed", "the path is not properly encoded", {}, {}};
  }
  if (path.size() < root.size() || !std::equal(root.begin(), root.end(), path.begin())) {
    return no_such_path(request.path);
  }
  path.erase(path.begin(), path.begin() + static_cast<ptrdiff_t>(root.size()));
  const bool login = path.size() == 1 && path[0] == "login";
  auto known = login ? Result<User>(User{}) : links_.access->user_of(token_of(request));
  auto allowed = count(request, known && !login ? &*known : nullptr, asked);
  if (!allowed) return allowed.failure();
  if (login) return log_in(request, user);
  if (!known) return known.failure();
  user = *known;
  if (request.method == Method::other) return no_such_verb(request.method, request.path);
  if (changes(request.method) && user.role != Role::admin && user.role != Role::member) {
    return Failure{ExitCode::refused,
                   "forbidden",
                   user.name + " may read, and not change anything",
                   "ask as a user with the role admin",
                   {}};
  }
  auto plain = check_content_encoding(request);
  if (!plain) return plain.failure();
  auto mode = mode_of(request);
  if (!mode) return mode.failure();
  if (path.size() == 1 && path[0] == "events") return watch(request, user);
  auto client = links_.connect(options_.timeout);
  if (!client) return client.failure();
  (*client)->set_cause(request.id, user.name);
  Context context(**client, base_of(request, options_.root));
  if (user.role == Role::admin) context.show_secrets();
  if (user.role == Role::member) context.confine(user.tenant);
  Call call{request, std::move(path), context, *mode};
  return dispatch(call);
}

Response Gateway::answer(const Request& request) const {
  Asked asked;
  // A defect of ours ends this request, and not the daemon whose thread answers it.
  auto guarded = [&]() -> Result<Response> {
    try {
      return route(request, asked);
    } catch (const std::exception& e) {
      return Failure{ExitCode::refused, "internal", std::string("this is a bug of the daemon: ") + e.what(), {}, {}};
    }
  };
  auto routed = guarded();
  Response response = routed ? std::move(*routed) : problem(routed.failure(), request.id);
  add_cors(request, response);
  say_limit(asked.grant, response);
  compress(request, response);
  if (links_.audit && changes(request.method)) links_.audit(request, asked.user, response);
  return response;
}

}  // namespace viaduct::api::rest
