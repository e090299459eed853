// Carries out commands: one line of MidoNet's command line at a time.
#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include "api/midonet_cli/navigator.hpp"

namespace viaduct::api::midonet_cli {

enum class Output : uint8_t { lines, json };  // json: the documents of the REST API, one value for each command
enum class Next : uint8_t { line, end };

class Interpreter {
 public:
  struct Streams {
    std::ostream& out;
    std::ostream& err;  // of `debug on`
    Output output = Output::lines;
  };

  Interpreter(RestSource& source, Aliases& aliases, Streams streams)
      : documents_(source), aliases_(aliases), navigator_(documents_, aliases), streams_(streams) {}

  // One line; an empty one, or a comment (#), does nothing. `end`: there is to be no other.
  Result<Next> run(std::string_view line);
  void set_tenant(std::string tenant) { tenant_ = std::move(tenant); }
  enum class Debug : uint8_t { off, on };
  void set_debug(Debug debug);

 private:
  using Outcome = Result<Done>;

  Outcome carry_out(const Command& command);
  Outcome list(const Command& command);
  Outcome show(const Command& command);
  Outcome show_fields(const Command& command, const Found& found);
  Outcome create(const Command& command);
  Outcome create_embedded(const Found& above, const Collection& collection, const Json& json);
  Outcome finish_new(const Command& command, const std::vector<Found>& above, Found found);
  Outcome change(const Command& command);
  Outcome change_once(const Command& command, const Found& found);
  Outcome clear(const Command& command, const Found& found, Json& json);
  Outcome remove(const Command& command);
  Outcome remove_embedded(const Found& found);
  Outcome change_tenant(const Command& command);
  Outcome change_debug(const Command& command);

  Result<std::vector<Assignment>> values(std::vector<Assignment> fields);
  // "bridge bridge0 name web state up".
  std::string line_of(const Found& found);
  std::string fields_of(const Found& found);
  std::string shown(const Field& field, const std::string& text);
  void print(const std::string& line) { streams_.out << line << '\n'; }
  void print(const Json& json);

  Documents documents_;
  Aliases& aliases_;
  Navigator navigator_;
  Streams streams_;
  std::string tenant_;
};

}  // namespace viaduct::api::midonet_cli
