#include "actors/admin/rest_access.hpp"

#include <sys/stat.h>

#include <fstream>
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

}  // namespace

struct RestAccess::Files {
  std::vector<rest::TokenAccess::Entry> tokens;
  std::vector<rest::PasswordEntry> passwords;
};

RestAccess::Files RestAccess::read(std::string& error) const {
  Files files;
  files.tokens = parsed(options_.tokens_file, "rest.tokens", rest::parse_tokens, error);
  const std::string own(admin_.bytes.begin(), admin_.bytes.end());
  files.tokens.insert(files.tokens.begin(), {own, {"operator", rest::Role::admin}});
  files.passwords = parsed(options_.passwords_file, "rest.passwords", rest::parse_passwords, error);
  return files;
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
}

}  // namespace viaduct::actors
