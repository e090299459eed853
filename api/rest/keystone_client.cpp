#include "api/rest/keystone_client.hpp"

#include <cstdio>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/rest/access.hpp"

namespace viaduct::api::rest {
namespace {

using Json = nlohmann::json;
using SystemTime = std::chrono::system_clock::time_point;

// "2026-11-22T23:30:00.000000Z"
std::optional<SystemTime> parse_time(const std::string& text) {
  std::tm parts{};
  const char* end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (end == nullptr || !text.ends_with('Z')) return std::nullopt;
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::string text_in(const Json& object, const char* member) {
  auto at = object.find(member);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::optional<KeystoneToken> parse_token(const std::string& body, std::string id) {
  const Json whole = Json::parse(body, nullptr, false);
  if (!whole.is_object() || !whole.contains("token") || !whole["token"].is_object()) return std::nullopt;
  const Json& token = whole["token"];
  const auto expires = parse_time(text_in(token, "expires_at"));
  if (!expires || !token.contains("user") || !token["user"].is_object()) return std::nullopt;
  KeystoneToken parsed{std::move(id), text_in(token["user"], "name"), {}, *expires};
  if (parsed.user.empty()) return std::nullopt;
  if (auto project = token.find("project"); project != token.end() && project->is_object()) {
    parsed.project = text_in(*project, "id");
  }
  if (auto roles = token.find("roles"); roles != token.end() && roles->is_array())
    for (const Json& role : *roles)
      if (role.is_object()) parsed.roles.push_back(text_in(role, "name"));
  return parsed;
}

std::string login_body(const std::string& user, const std::string& password, const std::string& project,
                       const std::string& domain) {
  const Json in_domain = {{"name", domain}};
  const Json body = {{"auth",
                      {{"identity",
                        {{"methods", {"password"}},
                         {"password", {{"user", {{"name", user}, {"domain", in_domain}, {"password", password}}}}}}},
                       {"scope", {{"project", {{"name", project}, {"domain", in_domain}}}}}}}};
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string says(const Fetched& answer) {
  return "it answers with status " + std::to_string(answer.status) + ": " + answer.body.substr(0, 200);
}

}  // namespace

KeystoneClient::KeystoneClient(KeystoneOptions options, KeystoneEvents events)
    : options_(std::move(options)), events_(std::move(events)), password_(options_.password) {}

void KeystoneClient::set_password(std::string password) {
  std::lock_guard lock(service_mutex_);
  if (password_ == password) return;
  password_ = std::move(password);
  service_token_.clear();
}

// What an operator needs to know is in the log; a client learns that it is not its fault.
Failure KeystoneClient::fail(std::string_view reason, const std::string& text) const {
  if (events_.failed) events_.failed(reason, text);
  return {ExitCode::refused,
          "unavailable",
          "Keystone cannot be asked who you are",
          "try again in a moment; the log of viaductd says why",
          {}};
}

void KeystoneClient::answered() const {
  if (events_.answered) events_.answered();
}

void KeystoneClient::pause() const {
  std::lock_guard lock(pause_mutex_);
  pause_until_ = options_.now() + kPause;
}

Result<Fetched> KeystoneClient::ask(Fetch wanted) const {
  {
    std::lock_guard lock(pause_mutex_);
    if (options_.now() < pause_until_) return fail("pause", "a moment ago it could not be asked");
  }
  if (!slots_.try_acquire_for(options_.timeout)) return fail("busy", "too many requests wait for it");
  const std::shared_ptr<void> slot(nullptr, [this](void*) { slots_.release(); });
  wanted.url = options_.url + "/auth/tokens?nocatalog";
  wanted.ca_file = options_.ca_file;
  wanted.timeout = options_.timeout;
  wanted.headers.emplace_back("Accept", "application/json");
  Fetched answer = fetch(wanted);
  if (!answer.error.empty()) {
    pause();
    return fail("unreachable", answer.error);
  }
  if (answer.status >= 500 || answer.status == 429) return fail("error", says(answer));
  return answer;
}

Result<KeystoneToken> KeystoneClient::password_login(const std::string& user, const std::string& password,
                                                     const std::string& project) const {
  Fetch wanted{"POST", {}, {{"Content-Type", "application/json"}}};
  wanted.body = login_body(user, password, project, options_.domain);
  auto answer = ask(std::move(wanted));
  if (!answer) return answer.failure();
  if (answer->status == 400 || answer->status == 401)
    return unauthorized("Keystone does not know this user with this password in this project");
  const auto id = answer->headers.find("x-subject-token");
  auto token =
      answer->status == 201 && id != answer->headers.end() ? parse_token(answer->body, id->second) : std::nullopt;
  if (!token) return fail("error", says(*answer));
  return *token;
}

Result<KeystoneToken> KeystoneClient::authenticate(const std::string& user, const std::string& password,
                                                   const std::string& project) const {
  auto token = password_login(user, password, project.empty() ? options_.project : project);
  if (token || token.failure().code == "unauthorized") answered();
  return token;
}

Result<std::string> KeystoneClient::service_token(const std::string& stale) const {
  std::lock_guard lock(service_mutex_);
  if (!service_token_.empty() && service_token_ != stale) return service_token_;
  service_token_.clear();
  auto login = password_login(options_.user, password_, options_.project);
  if (login) return service_token_ = login->id;
  if (login.failure().code != "unauthorized") return login.failure();
  pause();  // Keystone locks users out who are wrong too often
  return fail("service_user", "it refuses " + options_.user + " in project " + options_.project +
                                  ": are rest.keystone_user, its password, project and domain right?");
}

Result<KeystoneToken> KeystoneClient::validate(const std::string& token) const {
  std::string stale;
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto own = service_token(stale);
    if (!own) return own.failure();
    auto answer = ask({"GET", {}, {{"X-Auth-Token", *own}, {"X-Subject-Token", token}}});
    if (!answer) return answer.failure();
    if (answer->status == 401) {
      stale = *own;
      continue;
    }
    if (answer->status == 404 || answer->status == 400) {
      answered();
      return unauthorized("Keystone does not know the token");
    }
    if (answer->status == 403)
      return fail("service_user", "it does not let " + options_.user +
                                      " look at tokens: give rest.keystone_user the role service or admin in " +
                                      options_.project);
    auto parsed = answer->status == 200 ? parse_token(answer->body, token) : std::nullopt;
    if (!parsed) return fail("error", says(*answer));
    answered();
    return *parsed;
  }
  return fail("service_user", "it refuses the token that it has just given to " + options_.user);
}

}  // namespace viaduct::api::rest
