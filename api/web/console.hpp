// The web console's files over HTTP: "/console/" and what is below it, and the way there from "/". Nobody has to be known for
// them; what they show they ask of the REST API, as the user who logs in.
#pragma once

#include <span>
#include <string_view>

#include "api/rest/http.hpp"

namespace viaduct::api::web {

// A file of api/web/page, as it was when this was built.
struct PageFile {
  std::string_view name;  // "main.js"
  std::string_view media_type;
  std::string_view etag;  // quoted; of the content
  std::string_view content;
};

// By name. Made by embed.cmake.
std::span<const PageFile> page_files();

// Whether the path is the console's to answer.
bool is_console(std::string_view path);

// Any thread. The path is looked up in the list above and nowhere else: no file is opened.
rest::Response answer(const rest::Request& request);

}  // namespace viaduct::api::web
