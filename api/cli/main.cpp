// viaduct: the command-line tool. Assembly only.
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "api/cli/run.hpp"

int main(int argc, char** argv) {
  using namespace viaduct::api::cli;
  std::vector<std::string> arguments(argv + 1, argv + argc);
  auto variable = [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
  };
  Terminal terminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 ? Terminal::interactive : Terminal::batch;
  Environment environment{std::cout, std::cerr, std::cin, terminal, variable};
  return static_cast<int>(run(arguments, environment));
}
