#include "tests/unit/cli/fake_daemon.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "tests/support/memory_daemon.hpp"
#include "topology/builder.hpp"
#include "topology/codec.hpp"

namespace viaduct::api::cli {
namespace {

constexpr std::string_view kToken = "the secret of the test\n";
constexpr int kPollMs = 20;

std::string write_token() {
  std::string path = testing::TempDir() + "viaduct-token-XXXXXX";
  int fd = ::mkstemp(path.data());
  EXPECT_EQ(::write(fd, kToken.data(), kToken.size()), static_cast<ssize_t>(kToken.size()));
  ::close(fd);
  return path;
}

std::string text_of(schema::AdminRequest::Reader request) {
  capnp::MallocMessageBuilder copy;
  copy.setRoot(request);
  auto root = copy.getRoot<schema::AdminRequest>();
  root.disownToken();
  root.setId(0);
  return kj::str(root.asReader()).cStr();
}

bool authorized(schema::AdminRequest::Reader request) {
  auto token = request.getToken();
  return std::string_view(token.asChars().begin(), token.size()) == kToken;
}

}  // namespace

FakeDaemon::FakeDaemon() : token_file_(write_token()) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(listener_, 8), 0);
  socklen_t length = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
  port_ = ntohs(address.sin_port);
  commit(topology::Host{HostId(*Uuid::parse(kHostId)), 0, "node-1"});
  thread_ = std::thread([this] { accept_all(); });
}

FakeDaemon::~FakeDaemon() {
  stopping_ = true;
  thread_.join();
  ::close(listener_);
  ::unlink(token_file_.c_str());
}

void FakeDaemon::answer(schema::AdminRequest::Which which, Answer answer) {
  std::lock_guard lock(mutex_);
  answers_[which] = std::move(answer);
}

void FakeDaemon::answer_with_bytes(std::vector<uint8_t> bytes) {
  std::lock_guard lock(mutex_);
  mood_ = Mood::bytes;
  bytes_ = std::move(bytes);
}

void FakeDaemon::stay_silent() {
  std::lock_guard lock(mutex_);
  mood_ = Mood::silent;
}

void FakeDaemon::ignore_naming() {
  std::lock_guard lock(mutex_);
  knows_naming_ = false;
}

void FakeDaemon::before_transaction(std::function<void(FakeDaemon&)> hook) {
  std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}

topology::Snapshot FakeDaemon::snapshot() {
  std::lock_guard lock(mutex_);
  return snapshot_;
}

void FakeDaemon::commit(topology::Object object) {
  std::lock_guard lock(mutex_);
  bool exists = snapshot_.find(topology::ref_of(object)) != nullptr;
  topology::Operation operation = topology::Create{object};
  if (exists) operation = topology::Update{object};
  auto built = topology::build(snapshot_, {operation}, snapshot_.revision() + 1);
  for (const auto& violation : built.violations) ADD_FAILURE() << topology::to_string(violation);
  snapshot_ = built.next;
}

std::vector<std::string> FakeDaemon::requests() {
  std::lock_guard lock(mutex_);
  return requests_;
}

void FakeDaemon::accept_all() {
  while (!stopping_) {
    pollfd entry{listener_, POLLIN, 0};
    if (::poll(&entry, 1, kPollMs) <= 0) continue;
    int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++connections_;
    serve(fd);
    ::close(fd);
  }
}

void FakeDaemon::serve(int fd) {
  schema::FrameReader reader;
  while (!stopping_) {
    pollfd entry{fd, POLLIN, 0};
    if (::poll(&entry, 1, kPollMs) <= 0) continue;
    uint8_t buffer[4096];
    ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) return;
    std::span<const uint8_t> bytes(buffer, static_cast<size_t>(got));
    while (auto frame = reader.take(bytes)) {
      std::vector<uint8_t> reply = reply_to(*frame);
      if (!reply.empty()) ::send(fd, reply.data(), reply.size(), MSG_NOSIGNAL);
      std::lock_guard lock(mutex_);
      if (mood_ == Mood::bytes) return;
    }
  }
}

std::vector<uint8_t> FakeDaemon::reply_to(const schema::Frame& frame) {
  {
    std::lock_guard lock(mutex_);
    if (mood_ == Mood::silent) return {};
    if (mood_ == Mood::bytes) return bytes_;
  }
  capnp::MallocMessageBuilder message;
  auto reply = message.initRoot<schema::AdminReply>();
  auto read = schema::with_root<schema::AdminRequest>(frame, {}, [&](schema::AdminRequest::Reader request) {
    reply.setId(request.getId());
    Answer special;
    {
      std::lock_guard lock(mutex_);
      requests_.push_back(text_of(request));
      if (auto at = answers_.find(request.which()); at != answers_.end()) special = at->second;
    }
    if (!authorized(request)) {
      auto error = reply.initError();
      error.setCode(schema::ErrorCode::UNAUTHORIZED);
      error.setMessage("wrong token");
    } else if (special) {
      special(request, reply);
    } else {
      usual(request, reply);
    }
  });
  EXPECT_TRUE(read) << read.failure().text;
  std::vector<uint8_t> bytes;
  schema::append_framed(schema::Frame::of(message), bytes);
  return bytes;
}

void FakeDaemon::usual(schema::AdminRequest::Reader request, schema::AdminReply::Builder reply) {
  switch (request.which()) {
    case schema::AdminRequest::TRANSACT:
      return transact(request.getTransact(), reply);
    case schema::AdminRequest::LIST:
      return list(request.getList(), reply.initObjects());
    case schema::AdminRequest::WAIT:
      return reply.setApplied(request.getWait().getRevision() == 0 ? snapshot().revision()
                                                                   : request.getWait().getRevision());
    case schema::AdminRequest::STATUS:
      topology::encode(*Uuid::parse(kHostId), reply.initStatus().initHostId());
      return reply.getStatus().setVersion("0.1.0");
    case schema::AdminRequest::FLOWS:
      reply.initFlows();
      return;
    case schema::AdminRequest::TRACE:
      reply.initTrace();
      return;
    case schema::AdminRequest::STATE:
      reply.initState();
      return;
    default:
      return reply.setDone();
  }
}

void FakeDaemon::transact(schema::Transact::Reader request, schema::AdminReply::Builder reply) {
  std::function<void(FakeDaemon&)> hook;
  {
    std::lock_guard lock(mutex_);
    hook.swap(hook_);
  }
  if (hook) hook(*this);
  std::lock_guard lock(mutex_);
  ASSERT_TRUE(viaduct::support::answer_transact(request, snapshot_, reply));
}

void FakeDaemon::list(schema::ListObjects::Reader request, schema::ObjectList::Builder reply) {
  std::lock_guard lock(mutex_);
  viaduct::support::answer_list(request, snapshot_, knows_naming_, reply);
}

Outcome Tool::operator()(std::vector<std::string> arguments) const {
  std::ostringstream out, err;
  std::istringstream in(input);
  auto variable = [&](const char* name) -> std::optional<std::string> {
    if (std::string_view(name) == "VIADUCT_ADDRESS" && !address.empty()) return address;
    if (std::string_view(name) == "VIADUCT_TOKEN_FILE" && !token_file.empty()) return token_file;
    return std::nullopt;
  };
  Environment environment{out, err, in, terminal, variable};
  auto code = run(arguments, environment);
  return {static_cast<int>(code), out.str(), err.str()};
}

}  // namespace viaduct::api::cli
