#include "api/rest/fetch.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <memory>

namespace viaduct::api::rest {
namespace {

// Once in a process, before the first thread asks.
bool begin() {
  static const bool begun = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return begun;
}

struct Sink {
  Fetched answer;
  size_t most = 0;
};

size_t take_body(char* data, size_t, size_t size, void* to) {
  Sink& sink = *static_cast<Sink*>(to);
  if (sink.answer.body.size() + size > sink.most) return 0;
  sink.answer.body.append(data, size);
  return size;
}

size_t take_header(char* data, size_t, size_t size, void* to) {
  Sink& sink = *static_cast<Sink*>(to);
  std::string_view line(data, size);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  const size_t colon = line.find(':');
  if (colon == line.npos || sink.answer.headers.size() >= 100) return size;
  std::string name(line.substr(0, colon));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  line.remove_prefix(colon + 1);
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  sink.answer.headers[name] = line;
  return size;
}

using Lines = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

Lines lines_of(const Fetch& wanted) {
  curl_slist* all = curl_slist_append(nullptr, "Expect:");
  for (const auto& [name, value] : wanted.headers) all = curl_slist_append(all, (name + ": " + value).c_str());
  return {all, &curl_slist_free_all};
}

}  // namespace

Fetched fetch(const Fetch& wanted) {
  Sink sink;
  sink.most = wanted.max_answer_bytes;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(begin() ? curl_easy_init() : nullptr, &curl_easy_cleanup);
  if (!curl) {
    sink.answer.error = "libcurl cannot be used";
    return sink.answer;
  }
  const Lines lines = lines_of(wanted);
  char problem[CURL_ERROR_SIZE] = {};
  curl_easy_setopt(curl.get(), CURLOPT_URL, wanted.url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, wanted.method.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, lines.get());
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(wanted.timeout.count()));
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, problem);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &sink);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERDATA, &sink);
  if (!wanted.ca_file.empty()) {
    curl_easy_setopt(curl.get(), CURLOPT_CAINFO, wanted.ca_file.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_CAPATH, nullptr);
  }
  if (wanted.certificates == Fetch::Certificates::taken) {
    curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!wanted.body.empty()) {
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(wanted.body.size()));
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, wanted.body.c_str());
  }
  const CURLcode done = curl_easy_perform(curl.get());
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  sink.answer.status = static_cast<int>(status);
  if (done != CURLE_OK) sink.answer.error = problem[0] != '\0' ? problem : curl_easy_strerror(done);
  return sink.answer;
}

}  // namespace viaduct::api::rest
