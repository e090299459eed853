// What strangers send to the REST API: a method and a path of the first line, a body behind it. Whatever comes is answered,
// never with an error of the server's own; and what is stored is read, and can be stored again as it was read.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "api/rest/gateway.hpp"
#include "tests/support/memory_daemon.hpp"

namespace {

using namespace viaduct;
using namespace viaduct::api::rest;

void check(bool holds) {
  if (!holds) std::abort();
}

constexpr const char* kBridge = "00000000-0000-4000-8000-000000000001";
constexpr const char* kRouter = "00000000-0000-4000-8000-000000000002";
constexpr const char* kChain = "00000000-0000-4000-8000-000000000003";
constexpr const char* kPool = "00000000-0000-4000-8000-000000000004";

Response ask(const Gateway& gateway, Method method, const std::string& path, std::string body) {
  Request request{.method = method, .path = path};
  request.headers["host"] = "h";
  request.body = std::move(body);
  return gateway.answer(request);
}

void prepare(const Gateway& gateway) {
  auto create = [&](const std::string& where, const std::string& body) {
    check(ask(gateway, Method::post, "/midonet-api/" + where, body).status == 201);
  };
  create("bridges", std::string(R"({"id":")") + kBridge + R"("})");
  create("routers", std::string(R"({"id":")") + kRouter + R"("})");
  create("chains", std::string(R"({"id":")") + kChain + R"("})");
  create("pools", std::string(R"({"lbMethod":"ROUND_ROBIN","id":")") + kPool + R"("})");
}

std::string path_in(std::string_view line) {
  std::string path = "/midonet-api/";
  for (char c : line) {
    switch (c) {
      case 'B':
        path += std::string("bridges/") + kBridge;
        break;
      case 'R':
        path += std::string("routers/") + kRouter;
        break;
      case 'C':
        path += std::string("chains/") + kChain;
        break;
      case 'P':
        path += std::string("pools/") + kPool;
        break;
      default:
        path += c;
    }
  }
  return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  constexpr Method kMethods[] = {Method::post, Method::put, Method::remove, Method::get};
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t end = std::min(text.find('\n'), text.size());

  viaduct::support::MemoryDaemon daemon;
  auto connect = [&](std::chrono::milliseconds) { return api::Result<std::unique_ptr<api::Client>>(daemon.connect()); };
  const Gateway gateway({connect, std::make_shared<OpenAccess>()});
  prepare(gateway);
  const Response response = ask(gateway, kMethods[data[0] % 4], path_in(text.substr(0, end)),
                                std::string(text.substr(std::min(end + 1, text.size()))));
  check(response.status < 500 || response.status == 501 || response.status == 503);
  for (const auto& [name, value] : response.headers) {
    if (name != "Location") continue;
    const std::string path = value.substr(value.find("/midonet-api/"));
    const Response read = ask(gateway, Method::get, path, "");
    check(read.status == 200);
    const Response again = ask(gateway, Method::put, path, read.body);
    check(again.status == 204 || again.status == 200 || again.status == 405);
    check(ask(gateway, Method::get, path, "").body == read.body);
  }
  return 0;
}
