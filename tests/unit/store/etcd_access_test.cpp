// Who may use an etcd, and what is said when it cannot be used.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <stdexcept>

#include "tests/unit/store/etcd_cluster.hpp"
#include "tests/unit/store/store_conformance.hpp"

namespace viaduct::topology::store {
namespace {

using namespace std::chrono_literals;
using testing::Certificates;
using testing::EtcdCluster;
using testing::TemporaryDirectory;
using testing::Watching;

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<Store> opened(EtcdOptions options) {
  auto store = open_etcd_store(std::move(options));
  if (!store) throw std::runtime_error(store.error().text);
  return std::move(*store);
}

Error refused(EtcdOptions options) {
  options.call_timeout = 800ms;
  auto store = open_etcd_store(std::move(options));
  if (store) throw std::runtime_error("it was opened");
  return store.error();
}

// --- without a server -----------------------------------------------------------------------------

TEST(EtcdOptions, AreChecked) {
  const auto text = [](const std::function<void(EtcdOptions&)>& change) {
    EtcdOptions options{{"127.0.0.1:2379"}};
    change(options);
    auto error = validate(options);
    return error ? error->text : "";
  };
  EXPECT_EQ(text([](auto&) {}), "");
  EXPECT_EQ(text([](auto& o) { o.endpoints = {"etcd-1.example:2379", "[fd00::1]:2379"}; }), "");
  EXPECT_THAT(text([](auto& o) { o.endpoints = {}; }), HasSubstr("no endpoint"));
  for (const std::string wrong : {"http://a:2379", "a", "a:", ":1", "a:0", "a:65536", "fd00::1:2379", "[]:1", "a:1x"}) {
    EXPECT_THAT(text([&](auto& o) { o.endpoints = {wrong}; }), HasSubstr("'" + wrong + "'"));
  }
  EXPECT_THAT(text([](auto& o) { o.name_space = ""; }), HasSubstr("namespace"));
  EXPECT_THAT(text([](auto& o) { o.name_space = "a/"; }), HasSubstr("namespace"));
  EXPECT_EQ(text([](auto& o) { o.name_space = "/viaduct"; }), "");  // as the configuration's default
  EXPECT_THAT(text([](auto& o) { o.user = "u"; }), HasSubstr("user and password"));
  EXPECT_THAT(text([](auto& o) { o.tls = EtcdTls{"ca", "cert"}; }), HasSubstr("certificate and its key"));
  EXPECT_THAT(text([](auto& o) { o.call_timeout = 0ms; }), HasSubstr("time-out"));
}

TEST(EtcdOptions, FilesOfTlsMustBeThere) {
  TemporaryDirectory directory;
  EtcdOptions options{{"127.0.0.1:1"}};
  options.tls = EtcdTls{directory.path() / "missing.pem"};
  Error error = refused(options);
  EXPECT_EQ(error.code, ErrorCode::invalid);
  EXPECT_THAT(error.text, AllOf(HasSubstr("missing.pem"), HasSubstr("No such file")));
  std::ofstream(directory.path() / "empty.pem") << "nothing";
  options.tls = EtcdTls{directory.path() / "empty.pem"};
  EXPECT_THAT(refused(options).text, AllOf(HasSubstr("empty.pem"), HasSubstr("BEGIN CERTIFICATE")));
}

// A port where connections are taken by the kernel, and nobody ever answers.
class Silence {
 public:
  Silence() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    bind(socket_, reinterpret_cast<sockaddr*>(&address), length);
    listen(socket_, 10);
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
    endpoint = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~Silence() { close(socket_); }
  std::string endpoint;

 private:
  const int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

TEST(EtcdAccess, UnreachableServersAreNamed) {
  Silence silence;
  EtcdOptions options{{"127.0.0.1:1", silence.endpoint, "no-such-host.invalid:2379"}};
  options.connect_timeout = 500ms;
  const auto begin = std::chrono::steady_clock::now();
  const Error error = refused(options);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 6s);
  EXPECT_EQ(error.code, ErrorCode::unavailable);
  for (const std::string& endpoint : options.endpoints) EXPECT_THAT(error.text, HasSubstr(endpoint + ": "));
  EXPECT_THAT(error.text, HasSubstr("Connection refused"));
}

// --- one member with etcd's default limits --------------------------------------------------------

class PlainEtcd : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { etcd_ = std::make_unique<EtcdCluster>(testing::EtcdClusterOptions{1, {}, nullptr}); }
  static void TearDownTestSuite() { etcd_.reset(); }
  static inline std::unique_ptr<EtcdCluster> etcd_;
};

TEST_F(PlainEtcd, ItsLimitsAreNamedByTheirFlags) {
  auto store = opened(etcd_->options("limits"));
  Transaction many;
  for (int i = 0; i < 129; ++i) many.puts.push_back({"k" + std::to_string(i), "v"});
  auto error = store->commit(many).error();
  EXPECT_EQ(error.code, ErrorCode::invalid);
  EXPECT_THAT(error.text, HasSubstr("--max-txn-ops=10000"));
  for (size_t megabytes : {2, 5}) {  // a little too much is refused by etcd, more by its transport
    Transaction large;
    for (size_t i = 0; i < megabytes; ++i) {
      large.puts.push_back({"k" + std::to_string(i), std::string(kMaxValueBytes, 'v')});
    }
    error = store->commit(large).error();
    EXPECT_EQ(error.code, ErrorCode::invalid) << error.text;
    EXPECT_THAT(error.text, HasSubstr("--max-request-bytes=10485760"));
  }
  EXPECT_TRUE(store->range({"", 10})->entries.empty());
}

TEST_F(PlainEtcd, NamespacesAreApart) {
  auto one = opened(etcd_->options("cloud"));
  auto two = opened(etcd_->options("cloud2"));
  Watching watching(*one, 0, "");
  ASSERT_TRUE(two->commit({{}, {{"a", "2"}}, {}}));
  const Revision at = *one->commit({{Compare::absent("a")}, {{"a", "1"}}, {}});
  EXPECT_THAT(watching.text(1), ElementsAre(std::to_string(at) + ": put a=1"));
  EXPECT_EQ(one->range({"", 10})->entries.size(), 1u);
  EXPECT_EQ(two->get("a")->entry->value, "2");
}

TEST_F(PlainEtcd, ADeadServerInTheListIsPassedOver) {
  auto options = etcd_->options("list");
  options.endpoints.insert(options.endpoints.begin(), "127.0.0.1:1");
  std::vector<std::string> calls;
  std::string left;
  options.events.called = [&](auto method, auto result) {
    calls.push_back(std::string(method) + " " + std::string(result));
  };
  options.events.server_left = [&](auto server, auto) { left += server; };
  auto store = opened(options);
  EXPECT_EQ(left, "127.0.0.1:1");
  EXPECT_THAT(calls, ElementsAre("read the revision ok", "open ok"));
  EXPECT_TRUE(store->commit({{}, {{"a", "1"}}, {}}));
}

TEST_F(PlainEtcd, AUserWhereNoneIsAskedForIsAMistake) {
  auto options = etcd_->options("user");
  options.user = "u";
  options.password = "p";
  const Error error = refused(options);
  EXPECT_EQ(error.code, ErrorCode::denied);
  EXPECT_THAT(error.text, HasSubstr("authentication is not enabled"));
}

TEST_F(PlainEtcd, TlsWhereThereIsNoneIsUnavailable) {
  TemporaryDirectory directory;
  const Certificates certificates(directory.path());
  auto options = etcd_->options("tls");
  options.tls = EtcdTls{certificates.authority};
  EXPECT_EQ(refused(options).code, ErrorCode::unavailable);
}

// --- one member that wants certificates and passwords ---------------------------------------------

class SecureEtcd : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = std::make_unique<TemporaryDirectory>();
    certificates_ = std::make_unique<Certificates>(directory_->path());
    etcd_ = std::make_unique<EtcdCluster>(testing::EtcdClusterOptions{1, {}, certificates_.get()});
    for (const std::string user : {"root", "viaduct"}) etcd_->control("user add " + user + ":secret");
    etcd_->control("user grant-role root root");
    etcd_->control("role add cloud");
    etcd_->control("role grant-permission cloud --prefix=true readwrite cloud/");
    etcd_->control("user grant-role viaduct cloud");
    etcd_->control("auth enable");
  }
  static void TearDownTestSuite() {
    etcd_.reset();
    directory_.reset();
  }
  static EtcdOptions options(const std::string& name_space = "cloud") {
    auto options = etcd_->options(name_space);
    options.user = "viaduct";
    options.password = "secret";
    return options;
  }
  static inline std::unique_ptr<TemporaryDirectory> directory_;
  static inline std::unique_ptr<Certificates> certificates_;
  static inline std::unique_ptr<EtcdCluster> etcd_;
};

TEST_F(SecureEtcd, TheRightUserMayDoEverythingWithItsKeys) {
  auto store = opened(options());
  Watching watching(*store, 0, "");
  auto lease = store->grant(60s);
  ASSERT_TRUE(lease) << lease.error().text;
  auto at = store->commit({{Compare::absent("a")}, {{"a", "1", *lease}}, {}});
  ASSERT_TRUE(at) << at.error().text;
  EXPECT_THAT(watching.text(1), ElementsAre(std::to_string(*at) + ": put a=1"));
  EXPECT_TRUE(store->keep_alive(*lease));
  EXPECT_TRUE(store->compact(*at));
  EXPECT_EQ(store->range({"", 10, "", *at - 1}).error().revision, *at);
  EXPECT_TRUE(store->revoke(*lease));
}

TEST_F(SecureEtcd, OthersAreDenied) {
  auto wrong_password = options();
  wrong_password.password = "guess";
  EXPECT_THAT(refused(wrong_password).text, HasSubstr("check user and password"));
  EXPECT_EQ(refused(wrong_password).code, ErrorCode::denied);
  auto no_user = options();
  no_user.user = no_user.password = "";
  EXPECT_EQ(refused(no_user).code, ErrorCode::denied) << refused(no_user).text;
  const Error other_keys = refused(options("another"));
  EXPECT_EQ(other_keys.code, ErrorCode::denied);
  EXPECT_THAT(other_keys.text, HasSubstr("grant-permission"));
}

TEST_F(SecureEtcd, CertificatesArePartOfIt) {
  TemporaryDirectory directory;
  const Certificates other(directory.path());
  auto wrong_authority = options();
  wrong_authority.tls->authority = other.authority;
  Error error = refused(wrong_authority);
  EXPECT_EQ(error.code, ErrorCode::unavailable);
  EXPECT_THAT(error.text, HasSubstr("certificate verify failed"));
  auto wrong_client = options();
  wrong_client.tls->certificate = other.client;
  wrong_client.tls->key = other.client_key;
  EXPECT_EQ(refused(wrong_client).code, ErrorCode::unavailable);
  auto no_certificate = options();
  no_certificate.tls->certificate = no_certificate.tls->key = "";
  EXPECT_EQ(refused(no_certificate).code, ErrorCode::unavailable);
  auto no_tls = options();
  no_tls.tls.reset();
  EXPECT_EQ(refused(no_tls).code, ErrorCode::unavailable);
}

// A restarted member has forgotten the tokens that it gave, but for those that it finds in the last of its log.
TEST_F(SecureEtcd, AForgottenTokenIsReplaced) {
  auto counting = options();
  std::atomic<int> authenticated = 0;
  counting.events.authenticated = [&] { ++authenticated; };
  auto store = opened(counting);
  Watching watching(*store, 0, "");
  std::vector<std::string> expected;
  auto put = [&] {
    const std::string value = std::to_string(expected.size());
    auto revision = store->commit({{}, {{"b", value}}, {}});
    ASSERT_TRUE(revision) << revision.error().text;
    expected.push_back(std::to_string(*revision) + ": put b=" + value);
  };
  put();
  ASSERT_EQ(watching.text(1).size(), 1u);
  EXPECT_EQ(authenticated, 1);
  EXPECT_TRUE(eventually([&] {
    etcd_->stop_all();
    etcd_->start_all();
    put();
    return authenticated >= 2 || HasFatalFailure();
  }));
  EXPECT_THAT(watching.text(expected.size()), ::testing::ElementsAreArray(expected));
}

// A watch whose user loses its permission is told, and not left waiting.
TEST_F(SecureEtcd, AWatchWithoutPermissionEnds) {
  auto store = opened(options());
  etcd_->control("--user root:secret role revoke-permission cloud --prefix=true cloud/");
  Watching watching(*store, 1, "");
  const auto messages = watching.wait_for(1);
  etcd_->control("--user root:secret role grant-permission cloud --prefix=true readwrite cloud/");
  ASSERT_EQ(messages.size(), 1u);
  ASSERT_TRUE(std::holds_alternative<Error>(messages[0]));
  EXPECT_EQ(std::get<Error>(messages[0]).code, ErrorCode::denied);
}

}  // namespace
}  // namespace viaduct::topology::store
