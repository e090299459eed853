// What a command has at hand while it runs: the operator's terminal, the settings, and the daemon (connected to when
// first needed).
#pragma once

#include <functional>
#include <istream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "api/cli/directory.hpp"
#include "api/client/client.hpp"
#include "api/client/outcome.hpp"

namespace viaduct::api::cli {

enum class Terminal : uint8_t { batch, interactive };  // whether somebody can answer a question

// The outside world, so that tests can be it.
struct Environment {
  std::ostream& out;
  std::ostream& err;
  std::istream& in;
  Terminal terminal = Terminal::batch;
  std::function<std::optional<std::string>(const char*)> variable;  // of the process environment
};

enum class Form : uint8_t { human, json };

struct Settings {
  std::string address;     // empty: VIADUCT_ADDRESS, else the default
  std::string token_file;  // empty: VIADUCT_TOKEN_FILE, else the default
  double timeout_seconds = 10;
  Form form = Form::human;
};

class Session {
 public:
  explicit Session(Environment& environment) : environment_(environment) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Settings& settings() { return settings_; }
  std::ostream& out() { return environment_.out; }
  std::ostream& err() { return environment_.err; }
  std::istream& in() { return environment_.in; }
  Terminal terminal() const { return environment_.terminal; }
  bool wants_json() const { return settings_.form == Form::json; }

  // Where the token is read: of the options, the environment or the default.
  std::string token_file() const;

  Result<Client*> client();
  // Another one, for who wants several. `address` is where it is.
  Result<std::unique_ptr<Client>> another_client() const;
  std::string address() const;
  std::optional<std::string> variable(const char* name) const { return environment_.variable(name); }
  Result<Directory*> directory();
  void print(const Json& json);
  // Before somebody is asked something: the daemon closes connections that rest. The next use connects again; what
  // client() and directory() returned is no longer valid.
  void disconnect();

 private:
  Result<ClientOptions> client_options() const;
  std::string setting(const std::string& given, const char* variable, const char* otherwise) const;

  Environment& environment_;
  Settings settings_;
  const std::string request_ = Uuid::random().to_string();  // one for all changes of the command
  std::unique_ptr<Client> client_;
  std::unique_ptr<Directory> directory_;
};

// The body of a command. What it prints goes to the session; a failure is printed by run().
using Command = std::function<Result<ExitCode>(Session&)>;

}  // namespace viaduct::api::cli
