#include "actors/admin/rest_access.hpp"

#include <sys/stat.h>

#include <fstream>
#include <mutex>
#include <sstream>
#include <utility>

#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;
namespace rest = api::rest;

namespace {

// Of a file with secrets. `key` is what names it in the configuration.
std::string read_secret(const std::string& path, const std::string& key, std::string& error) {
  struct stat about {};
  if (::stat(path.c_str(), &about) == 0 && (about.st_mode & 07) != 0) {
    error = path + " (" + key + ") may be read or written by everybody: chmod 0640";
    return {};
  }
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) error = "cannot read " + path + " (" + key + "): name a file that is there and readable";
  return text.str();
}

template <class Entries>
Entries parsed(const std::string& path, const std::string& key, api::Result<Entries> (*parse)(std::string_view),
               std::string& error) {
  if (path.empty() || !error.empty()) return {};
  const std::string text = read_secret(path, key, error);
  if (!error.empty()) return {};
  auto entries = parse(text);
  if (entries) return std::move(*entries);
  error = path + " (" + key + "): " + entries.failure().message + "; " + entries.failure().cure;
  return {};
}

rest::AccessEvents events(observability::RestProbe& probe) {
  return {[&probe](const rest::LoginAttempt& attempt, std::string_view reason) {
    probe.login_failed(reason);
    if (reason == "slowed_down") return;  // cheap, so that there may be many; the audit has them
    log::warning(log::Component::admin, "REST login refused",
                 {{"user", attempt.user}, {"from", attempt.peer}, {"reason", reason}});
  }};
}

// Each failure is counted; the log has when it began, when its reason is another, and when it ended.
class KeystoneLog {
 public:
  explicit KeystoneLog(observability::RestProbe& probe) : probe_(probe) {}

  void failed(std::string_view reason, const std::string& text) {
    probe_.keystone_failed(reason);
    if (reason == "pause" || reason == "busy") return;  // of what is known already
    {
      std::lock_guard lock(mutex_);
      if (reason_ == reason) return;
      reason_ = reason;
    }
    log::warning(log::Component::admin, "Keystone does not say who users are", {{"reason", reason}, {"text", text}});
  }
  void answered() {
    {
      std::lock_guard lock(mutex_);
      if (reason_.empty()) return;
      reason_.clear();
    }
    log::info(log::Component::admin, "Keystone answers again");
  }

 private:
  observability::RestProbe& probe_;
  std::mutex mutex_;
  std::string reason_;  // of the last failure; empty: it answers
};

// A file that holds one line.
std::string password_in(const std::string& path, std::string& error) {
  if (path.empty() || !error.empty()) return {};
  std::string text = read_secret(path, "rest.keystone_password_file", error);
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (error.empty() && text.empty())
    error = path + " (rest.keystone_password_file) is empty: write the password into it";
  return text;
}

}  // namespace

struct RestAccess::Files {
  std::vector<rest::TokenAccess::Entry> tokens;
  std::vector<rest::PasswordEntry> passwords;
  std::string keystone_password;
};

RestAccess::Files RestAccess::read(std::string& error) const {
  Files files;
  files.tokens = parsed(options_.tokens_file, "rest.tokens", rest::parse_tokens, error);
  const std::string own(admin_.bytes.begin(), admin_.bytes.end());
  files.tokens.insert(files.tokens.begin(), {own, {"operator", rest::Role::admin, false}});
  files.passwords = parsed(options_.passwords_file, "rest.passwords", rest::parse_passwords, error);
  files.keystone_password = password_in(options_.keystone.password_file, error);
  return files;
}

void RestAccess::make_keystone(std::string password, observability::RestProbe& probe) {
  const RestAccessOptions::Keystone& from = options_.keystone;
  rest::KeystoneAccessOptions to;
  to.keystone.url = from.url.substr(0, from.url.find_last_not_of('/') + 1);
  to.keystone.user = from.user;
  to.keystone.password = std::move(password);
  to.keystone.project = from.project;
  to.keystone.domain = from.domain;
  to.keystone.ca_file = from.ca_file;
  to.admin_role = from.admin_role;
  to.reader_role = from.reader_role;
  to.member_role = from.member_role;
  auto said = std::make_shared<KeystoneLog>(probe);
  keystone_ = std::make_shared<rest::KeystoneAccess>(
      std::move(to), events(probe),
      rest::KeystoneEvents{[said](std::string_view reason, const std::string& text) { said->failed(reason, text); },
                           [said] { said->answered(); }});
}

std::unique_ptr<RestAccess> RestAccess::open(RestAccessOptions options, const AdminToken& admin,
                                             observability::RestProbe& probe, std::string& error) {
  std::unique_ptr<RestAccess> made(new RestAccess(std::move(options), admin));
  if (made->options_.open) {
    made->access_ = std::make_shared<rest::OpenAccess>();
    return made;
  }
  Files files = made->read(error);
  if (!error.empty()) return nullptr;
  made->tokens_ = std::make_shared<rest::TokenAccess>(std::move(files.tokens));
  made->access_ = made->tokens_;
  if (!made->options_.keystone.url.empty()) {
    made->make_keystone(std::move(files.keystone_password), probe);
    made->access_ = std::make_shared<rest::LayeredAccess>(made->tokens_, made->keystone_);
  }
  if (made->options_.passwords_file.empty()) return made;
  rest::PasswordOptions passwords;
  passwords.token_lifetime = made->options_.token_lifetime;
  made->passwords_ = std::make_shared<rest::PasswordAccess>(std::move(files.passwords), passwords, events(probe));
  made->access_ = std::make_shared<rest::LayeredAccess>(made->tokens_, made->passwords_);
  return made;
}

void RestAccess::renew(std::string& error) {
  if (options_.open) return;
  Files files = read(error);
  if (!error.empty()) return;
  tokens_->replace(std::move(files.tokens));
  if (passwords_) passwords_->replace(std::move(files.passwords));
  if (keystone_) keystone_->set_service_password(std::move(files.keystone_password));
}

}  // namespace viaduct::actors
