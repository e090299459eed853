// Members: two tenants with the same network each, and what one can do to the other, over the whole table of resources.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/rest/gateway.hpp"
#include "api/rest/tenancy.hpp"
#include "tests/support/memory_daemon.hpp"
#include "topology/reference.hpp"

namespace viaduct::api::rest {
namespace {

using ::testing::HasSubstr;

constexpr const char* kAdmin = "0123456789abcdef";
constexpr const char* kRed = "red-red-red-red-red";
constexpr const char* kBlue = "blue-blue-blue-blue";

class RestTenants : public ::testing::Test {
 protected:
  RestTenants() {
    red = make_network(kRed);
    blue = make_network(kBlue);
    for (const auto& [what, path] : red) {
      for (const std::string& id : ids_in(path)) red_ids.push_back(id);
    }
    operators();
  }

  Response ask(const std::string& token, Method method, const std::string& path, const Json& body = nullptr,
               Headers more = {}) {
    Request request{
        .method = method, .path = "/midonet-api/" + path.substr(0, path.find('?')), .headers = std::move(more)};
    if (const size_t query = path.find('?'); query != path.npos) {
      const size_t equals = path.find('=', query);
      request.query.emplace_back(path.substr(query + 1, equals - query - 1), path.substr(equals + 1));
    }
    request.headers["x-auth-token"] = token;
    if (!body.is_null()) request.body = body.dump();
    return gateway.answer(request);
  }
  std::string create(const std::string& token, const std::string& where, const Json& body) {
    const Response response = ask(token, Method::post, where, body);
    EXPECT_EQ(response.status, 201) << where << " " << response.body;
    for (const auto& [name, value] : response.headers) {
      if (name == "Location") return value.substr(value.find("/midonet-api/") + 13);
    }
    return {};
  }
  static std::string id(const std::string& path) { return path.substr(path.rfind('/') + 1); }
  static std::vector<std::string> ids_in(const std::string& path) {
    std::vector<std::string> out, segments;
    split_path(path, segments);
    for (const std::string& each : segments) {
      if (Uuid::parse(each)) out.push_back(each);
    }
    return out;
  }

  // Of each kind that a tenant may have, by the path of its resource.
  std::map<std::string, std::string> make_network(const std::string& token) {
    std::map<std::string, std::string> out;
    out["bridges"] = create(token, "bridges", {{"name", "b"}});
    out["routers"] = create(token, "routers", {{"name", "r"}});
    out["uplink"] = create(token, out["routers"] + "/ports", {{"type", "Router"}, {"portSubnet", {"10.0.0.1/24"}}});
    out["ports"] = create(token, out["bridges"] + "/ports", {{"type", "Bridge"}});
    out["routes"] = create(token, out["routers"] + "/routes",
                           {{"type", "Normal"},
                            {"srcNetworkAddr", "0.0.0.0"},
                            {"dstNetworkAddr", "192.0.2.0"},
                            {"dstNetworkLength", 24},
                            {"nextHopPort", id(out["uplink"])}});
    out["mac"] =
        create(token, out["bridges"] + "/mac_table", {{"macAddr", "02:00:00:00:00:07"}, {"portId", id(out["ports"])}});
    out["arp"] = create(token, out["bridges"] + "/arp_table", {{"mac", "02:00:00:00:00:07"}, {"ip", "10.0.0.7"}});
    out["chains"] = create(token, "chains", {{"name", "c"}});
    out["rules"] = create(token, out["chains"] + "/rules", {{"type", "accept"}});
    out["port_groups"] = create(token, "port_groups", {{"name", "g"}});
    out["group_port"] = create(token, out["port_groups"] + "/ports", {{"portId", id(out["ports"])}});
    out["ip_addr_groups"] = create(token, "ip_addr_groups", {{"name", "i"}});
    out["group_address"] = create(token, out["ip_addr_groups"] + "/ip_addrs", {{"addr", "192.0.2.7"}, {"version", 4}});
    out["load_balancers"] = create(token, "load_balancers", Json::object());
    out["pools"] =
        create(token, "pools",
               {{"loadBalancerId", id(out["load_balancers"])}, {"protocol", "TCP"}, {"lbMethod", "ROUND_ROBIN"}});
    out["pool_members"] =
        create(token, "pool_members", {{"poolId", id(out["pools"])}, {"address", "10.0.0.8"}, {"protocolPort", 80}});
    out["vips"] =
        create(token, "vips", {{"poolId", id(out["pools"])}, {"address", "203.0.113.1"}, {"protocolPort", 80}});
    return out;
  }
  void operators() {
    zone = create(kAdmin, "tunnel_zones", {{"type", "vxlan"}, {"name", "z"}});
    monitor = create(kAdmin, "health_monitors", {{"type", "TCP"}, {"delay", 5}, {"timeout", 5}, {"maxRetries", 3}});
    topology::Host host;
    host.id = HostId(Uuid::random());
    host.name = "h";
    EXPECT_TRUE(daemon.commit(host));
    zone_host = "hosts/" + host.id.to_string();
  }

  // What no answer to the other tenant may hold, but for what the request has named itself.
  void expect_nothing_red(const Response& response, const std::string& asked) {
    for (const std::string& each : red_ids) {
      if (asked.find(each) == asked.npos) {
        EXPECT_EQ(response.body.find(each), std::string::npos) << asked << " " << response.body;
      }
    }
  }
  // Whose each object is, and when it changed.
  std::map<topology::ObjectRef, uint64_t> revisions_of(const std::string& tenant) {
    std::map<topology::ObjectRef, uint64_t> out;
    for (uint8_t i = 0; i < static_cast<uint8_t>(topology::Kind::count_); ++i) {
      daemon.snapshot().for_each(static_cast<topology::Kind>(i), [&](const topology::Object& object) {
        if (tenant_of(object) == tenant) out[topology::ref_of(object)] = topology::revision_of(object);
      });
    }
    return out;
  }
  std::string tenant_of(const topology::Object& object) {
    auto client = daemon.connect();
    auto find = [&](Kind kind, const Uuid& wanted) -> std::optional<Record> {
      auto found = client->list({kind}, wanted.to_string());
      return found && !found->empty() ? std::optional(found->front()) : std::nullopt;
    };
    const auto record = find(kinds()[static_cast<size_t>(topology::kind_of(object))].kind, topology::id_of(object));
    return record ? owner_of(*record, find).value_or("") : "";
  }
  void expect_apart() {
    std::set<Uuid> of_red;
    for (const auto& [ref, revision] : revisions_of("red")) of_red.insert(ref.id);
    for (const auto& [ref, revision] : revisions_of("blue")) {
      topology::for_each_reference(*daemon.snapshot().find(ref), [&](topology::Reference, const Uuid& named) {
        EXPECT_FALSE(of_red.contains(named)) << "an object of blue names " << named.to_string();
      });
    }
  }

  viaduct::support::MemoryDaemon daemon;
  Gateway gateway{{[this](std::chrono::milliseconds) { return Result<std::unique_ptr<Client>>(daemon.connect()); },
                   std::make_shared<TokenAccess>(*parse_tokens("0123456789abcdef admin ops\n"
                                                               "red-red-red-red-red member:red rosa\n"
                                                               "blue-blue-blue-blue member:blue bert"))}};
  std::map<std::string, std::string> red, blue;
  std::vector<std::string> red_ids;
  std::string zone, monitor, zone_host;
};

TEST_F(RestTenants, WhatAMemberCreatesIsTheTenants) {
  const Json seen = Json::parse(ask(kAdmin, Method::get, red["bridges"]).body);
  EXPECT_EQ(seen.at("tenantId"), "red");
  EXPECT_EQ(ask(kRed, Method::post, "bridges", {{"tenantId", "blue"}}).status, 403);
  EXPECT_EQ(ask(kRed, Method::put, red["bridges"], {{"tenantId", "blue"}, {"name", "b"}}).status, 403);
  EXPECT_EQ(ask(kRed, Method::put, red["bridges"], {{"name", "renamed"}}).status, 204);
  EXPECT_EQ(Json::parse(ask(kAdmin, Method::get, red["bridges"]).body).at("tenantId"), "red");
  EXPECT_EQ(revisions_of("red").size(), revisions_of("blue").size());
  EXPECT_EQ(revisions_of("red").size(), 17U);
}

TEST_F(RestTenants, ListsHaveTheirOwnOnly) {
  for (const Resource* resource : resources()) {
    const Response response = ask(kBlue, Method::get, std::string(resource->path));
    expect_nothing_red(response, std::string(resource->path));
    const auto rules = owner_rules();
    const bool nobodys = std::ranges::find(rules, resource->kind, &OwnerRule::kind)->by == OwnerRule::By::nobody;
    if (nobodys) {
      EXPECT_EQ(response.status, 403) << resource->path;
    } else if ((resource->verbs & kList) != 0) {
      EXPECT_EQ(response.status, 200) << resource->path;
      EXPECT_NE(response.body, "[]") << resource->path;
    }
  }
  const Response page = ask(kBlue, Method::get, "bridges?limit=1");
  EXPECT_EQ(Json::parse(page.body).size(), 1U);
  for (const auto& [name, value] : page.headers) EXPECT_NE(name, "Link");  // there is no other that is blue's
  EXPECT_EQ(ask(kBlue, Method::get, "bridges?tenant_id=red").status, 403);
  EXPECT_EQ(ask(kBlue, Method::get, "bridges?tenant_id=blue").status, 200);
}

TEST_F(RestTenants, ObjectsOfOthersAreNotThere) {
  const auto before = revisions_of("red");
  for (const auto& [what, path] : red) {
    for (const Method method : {Method::get, Method::put, Method::remove}) {
      const Json body = method == Method::put ? Json::parse(ask(kRed, Method::get, path).body, nullptr, false) : Json();
      const Response response = ask(kBlue, method, path, body.is_discarded() ? Json::object() : body);
      const bool nothing = response.status == 204 && method == Method::remove;  // of what is not there
      EXPECT_TRUE(response.status >= 400 || nothing) << what << " " << response.status << " " << response.body;
      expect_nothing_red(response, path);
    }
  }
  EXPECT_EQ(revisions_of("red"), before);
}

TEST_F(RestTenants, NorIsWhatLiesBelowThem) {
  const auto before = revisions_of("red");
  std::vector<std::string> paths;
  for (const Collection& each : collections()) {
    if (red.contains(std::string(each.parent)))
      paths.push_back(red[std::string(each.parent)] + "/" + std::string(each.name));
  }
  for (const char* view : {"link", "port_groups"}) paths.push_back(red["ports"] + "/" + view);
  for (const char* device : {"bridges", "routers"}) paths.push_back(red[device] + "/peer_ports");
  paths.push_back(red["load_balancers"] + "/vips");
  for (const std::string& path : paths) {
    for (const Method method : {Method::get, Method::post, Method::remove}) {
      const Response response =
          ask(kBlue, method, path, {{"type", "Bridge"}, {"name", "x"}, {"peerId", id(blue["ports"])}});
      EXPECT_GE(response.status, 400) << path;
      expect_nothing_red(response, path);
    }
  }
  EXPECT_EQ(revisions_of("red"), before);
  expect_apart();
}

TEST_F(RestTenants, NothingOfOthersCanBeNamed) {
  const auto before = revisions_of("red");
  int tried = 0;
  for (const Resource* resource : resources()) {
    const std::string path(resource->path);
    if (!blue.contains(path)) continue;
    const Json own = Json::parse(ask(kBlue, Method::get, blue[path]).body);
    for (const Member& member : resource->members) {
      const bool one = member.shape == Shape::reference, several = member.shape == Shape::references;
      const bool special = member.shape == Shape::special && std::string_view(member.name).ends_with("Id");
      if (!one && !several && !special) continue;
      for (const std::string& foreign : red_ids) {
        Json changed = own;
        changed[std::string(member.name)] = several ? Json({foreign}) : Json(foreign);
        const Response put = ask(kBlue, Method::put, blue[path], changed);
        changed.erase("id");
        const Response post = ask(kBlue, Method::post, path, changed);
        EXPECT_NE(put.status, 500) << put.body;
        EXPECT_NE(post.status, 500) << post.body;
        ++tried;
      }
    }
    expect_apart();
  }
  EXPECT_GT(tried, 100);
  for (const std::string& foreign : red_ids) ask(kBlue, Method::post, blue["ports"] + "/link", {{"peerId", foreign}});
  EXPECT_EQ(ask(kBlue, Method::put, blue["bridges"], {{"name", "b"}, {"inboundFilterId", id(red["chains"])}}).status,
            404);
  EXPECT_EQ(ask(kBlue, Method::put, blue["bridges"], {{"name", "b"}, {"inboundFilterId", id(blue["chains"])}}).status,
            204);
  EXPECT_EQ(ask(kBlue, Method::post, "pools", {{"protocol", "TCP"}, {"lbMethod", "ROUND_ROBIN"}}).status,
            403);  // it would be nobody's
  EXPECT_EQ(revisions_of("red"), before);
  expect_apart();
}

TEST_F(RestTenants, WhatIsTheOperatorsIsRefused) {
  for (const std::string& path :
       {std::string("hosts"), zone_host, zone_host + "/ports", zone_host + "/interfaces", zone, zone + "/hosts",
        std::string("tunnel_zones"), monitor, monitor + "/pools", std::string("system_state"),
        red["routers"] + "/bgp_peers", blue["routers"] + "/bgp_peers", blue["routers"] + "/bgp_networks",
        std::string("bgp_peers"), std::string("node_status"), blue["ports"] + "/trace"}) {
    for (const Method method : {Method::get, Method::post, Method::put, Method::remove}) {
      EXPECT_EQ(ask(kBlue, method, path, Json::object()).status, 403) << path;
    }
  }
  const Json port = Json::parse(ask(kBlue, Method::get, blue["ports"]).body);
  Json bound = port;
  bound["interfaceName"] = "eth0";
  EXPECT_EQ(ask(kBlue, Method::put, blue["ports"], bound).status, 403);
  bound["hostId"] = id(zone_host);
  EXPECT_GE(ask(kBlue, Method::put, blue["ports"], bound).status, 403);
  EXPECT_EQ(ask(kBlue, Method::get, "").status, 200);
  EXPECT_EQ(ask(kBlue, Method::get, "openapi.json").status, 200);
}

TEST_F(RestTenants, TransactionsAreNoWayAround) {
  const auto before = revisions_of("red");
  auto transact = [&](const Json& operations) {
    return ask(kBlue, Method::post, "transactions", {{"operations", operations}});
  };
  for (const auto& [what, path] : red) {
    const Response removed = transact({{{"method", "DELETE"}, {"path", path}}});
    expect_nothing_red(removed, path);
    EXPECT_GE(transact({{{"method", "PUT"}, {"path", path}, {"body", {{"name", "x"}}}}}).status, 400) << path;
  }
  EXPECT_GE(transact({{{"method", "POST"}, {"path", "hosts"}, {"body", Json::object()}}}).status, 400);
  EXPECT_EQ(
      transact({{{"method", "POST"}, {"path", "tunnel_zones"}, {"body", {{"name", "z2"}, {"type", "vxlan"}}}}}).status,
      403);
  EXPECT_EQ(transact({{{"method", "POST"}, {"path", "bridges"}, {"body", {{"tenantId", "red"}}}}}).status, 403);
  const std::string made = Uuid::random().to_string();
  EXPECT_EQ(transact({{{"method", "POST"}, {"path", "bridges"}, {"body", {{"id", made}}}},
                      {{"method", "POST"}, {"path", "bridges/" + made + "/ports"}, {"body", {{"type", "Bridge"}}}}})
                .status,
            200);
  EXPECT_GE(
      transact({{{"method", "PUT"}, {"path", "bridges/" + made}, {"body", {{"inboundFilterId", id(red["chains"])}}}}})
          .status,
      400);
  EXPECT_EQ(revisions_of("red"), before);
  expect_apart();
}

TEST_F(RestTenants, ADryRunTellsOfTheOwnOnly) {
  // An operator has linked the two.
  EXPECT_EQ(ask(kAdmin, Method::post, blue["ports"] + "/link", {{"peerId", id(red["uplink"])}}).status, 201);
  const Response dry = ask(kBlue, Method::remove, blue["ports"] + "?dry-run=true");
  EXPECT_EQ(dry.status, 200);
  EXPECT_THAT(dry.body, HasSubstr(id(blue["ports"])));
  EXPECT_EQ(dry.body.find(id(red["uplink"])), std::string::npos) << dry.body;
}

TEST_F(RestTenants, RefusalsNameTheOwnOnly) {
  // An operator has put a port of red, which has a name, on blue's bridge.
  EXPECT_EQ(ask(kAdmin, Method::post, blue["ports"] + "/link", {{"peerId", id(red["uplink"])}}).status, 201);
  auto uplink =
      std::get<topology::Port>(*daemon.snapshot().find({topology::Kind::port, *Uuid::parse(id(red["uplink"]))}));
  uplink.name = "secret-uplink";
  ASSERT_TRUE(daemon.commit(uplink));
  const std::string second = create(kBlue, blue["bridges"] + "/ports", {{"type", "Bridge"}});
  // Both have 10.0.0.1, and this would put them on one segment.
  const Json link = {{"peerId", id(blue["uplink"])}};
  const Response refused = ask(kBlue, Method::post, second + "/link", link);
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("10.0.0.1 is on another port of the same segment too."));
  EXPECT_EQ(refused.body.find("secret"), std::string::npos) << refused.body;
  expect_nothing_red(refused, second);
  const Response together =
      ask(kBlue, Method::post, "transactions",
          {{"operations",
            {{{"method", "PUT"}, {"path", second}, {"body", {{"type", "Bridge"}, {"peerId", id(blue["uplink"])}}}}}}});
  EXPECT_EQ(together.status, 400);
  EXPECT_EQ(together.body.find("secret"), std::string::npos) << together.body;
  // Operators are told the name, and members those of their own.
  EXPECT_THAT(ask(kAdmin, Method::post, second + "/link", link).body, HasSubstr("port secret-uplink"));
  const Json taken = {{"type", "Router"}, {"portSubnet", {"10.0.0.1/32"}}};
  EXPECT_THAT(ask(kBlue, Method::post, blue["routers"] + "/ports", taken).body, HasSubstr(id(blue["uplink"])));
}

TEST(RestMembers, RolesOfMembersNameATenant) {
  const auto user = user_with_role("rosa", "member:red");
  ASSERT_TRUE(user);
  EXPECT_EQ(user->role, Role::member);
  EXPECT_EQ(user->tenant, "red");
  EXPECT_EQ(role_of(*user), "member:red");
  EXPECT_EQ(user_with_role("x", "admin")->role, Role::admin);
  for (const char* wrong : {"member", "member:", "member:a b", "member:a:b", "Member:a", "root", ""}) {
    EXPECT_FALSE(user_with_role("x", wrong)) << wrong;
    EXPECT_FALSE(parse_tokens("0123456789abcdef " + std::string(wrong) + " name")) << wrong;
  }
}

// Without an answer of the daemon nothing is made up.
TEST(RestFailures, AnInnerQuestionWithoutAnAnswerIs503) {
  viaduct::support::MemoryDaemon daemon;
  class Failing final : public Transport {
   public:
    Failing(std::unique_ptr<Transport> inner, int& left) : inner_(std::move(inner)), left_(left) {}
    Result<schema::Frame> exchange(const schema::Frame& request, Deadline deadline) override {
      if (left_-- <= 0) return Failure{ExitCode::unreachable, "unavailable", "the daemon does not answer", {}, {}};
      return inner_->exchange(request, deadline);
    }

   private:
    const std::unique_ptr<Transport> inner_;
    int& left_;
  };
  int left = 1'000;
  const Gateway gateway({[&](std::chrono::milliseconds timeout) -> Result<std::unique_ptr<Client>> {
                           return std::make_unique<Client>(std::make_unique<Failing>(daemon.transport(), left),
                                                           Credential{}, timeout);
                         },
                         std::make_shared<TokenAccess>(
                             *parse_tokens("0123456789abcdef admin ops\nred-red-red-red-red member:red rosa"))});
  auto ask = [&](const char* token, Method method, const std::string& path, const Json& body = nullptr) {
    return gateway.answer({.method = method,
                           .path = "/midonet-api/" + path,
                           .headers = {{"x-auth-token", token}},
                           .body = body.is_null() ? "" : body.dump()});
  };
  auto made = [&](const std::string& where, const Json& body) {
    const Response response = ask("red-red-red-red-red", Method::post, where, body);
    EXPECT_EQ(response.status, 201) << response.body;
    for (const auto& [name, value] : response.headers) {
      if (name == "Location") return value.substr(value.find("/midonet-api/") + 13);
    }
    return std::string();
  };
  const std::string chain = made("chains", {{"name", "c"}}), bridge = made("bridges", {{"name", "b"}});
  const std::string rule = made(chain + "/rules", {{"type", "accept"}}),
                    port = made(bridge + "/ports", {{"type", "Bridge"}});
  struct Case {
    Method method;
    std::string path;
    Json body;
  };
  for (const char* token : {"0123456789abcdef", "red-red-red-red-red"}) {
    for (const Case& each :
         {Case{Method::get, rule, nullptr}, Case{Method::get, chain + "/rules", nullptr},
          Case{Method::get, port, nullptr}, Case{Method::get, bridge + "/ports", nullptr},
          Case{Method::get, "rules", nullptr},
          Case{Method::post, chain + "/rules", {{"type", "drop"}, {"position", 1}}},
          Case{Method::put, bridge, {{"name", "other"}, {"tenantId", "red"}, {"inboundFilterId", chain.substr(7)}}}}) {
      const uint64_t before = daemon.snapshot().revision();
      left = 1'000;
      const int status = ask(token, each.method, each.path, each.body).status;
      const int asked = 1'000 - left;
      const bool changed = daemon.snapshot().revision() != before;
      EXPECT_TRUE(status < 300 || status == 405) << each.path << " " << status;
      // Each of the questions in turn remains without an answer.
      for (int answered = 0; status < 300 && answered < asked; ++answered) {
        const uint64_t at = daemon.snapshot().revision();
        left = answered;
        const Response response = ask(token, each.method, each.path, each.body);
        EXPECT_EQ(response.status, 503) << each.path << " " << answered << " of " << asked << ": " << response.body;
        EXPECT_EQ(daemon.snapshot().revision(), at);
      }
      EXPECT_EQ(changed, each.method != Method::get && status < 300);
    }
  }
}

}  // namespace
}  // namespace viaduct::api::rest
