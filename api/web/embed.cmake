# cmake -D PAGE=<folder> -D OUT=<file> -P embed.cmake: the files of the console as C++ (page_files() of console.hpp).
set(type_html "text/html")
set(type_css "text/css")
set(type_js "text/javascript")
set(type_svg "image/svg+xml")
file(GLOB names RELATIVE ${PAGE} ${PAGE}/*)
list(SORT names)
set(arrays "")
set(entries "")
set(number 0)
foreach(name IN LISTS names)
  string(REGEX REPLACE ".*\\." "" extension ${name})
  if(NOT DEFINED type_${extension})
    message(FATAL_ERROR "${PAGE}/${name}: embed.cmake knows no media type for .${extension}")
  endif()
  file(SHA256 ${PAGE}/${name} hash)
  string(SUBSTRING ${hash} 0 32 tag)
  file(READ ${PAGE}/${name} hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR bytes "${digits} / 2")
  string(REGEX REPLACE "(................................................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  string(APPEND arrays "// ${name}\nconst unsigned char kFile${number}[] = {\n${hex}};\n")
  string(APPEND entries "    {\"${name}\", \"${type_${extension}}; charset=utf-8\", \"\\\"${tag}\\\"\", text(kFile${number}, ${bytes})},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT}.new "// Made by api/web/embed.cmake.
#include <array>

#include \"api/web/console.hpp\"

namespace viaduct::api::web {
namespace {

${arrays}
std::string_view text(const unsigned char* bytes, size_t size) { return {reinterpret_cast<const char*>(bytes), size}; }

}  // namespace

std::span<const PageFile> page_files() {
  static const std::array<PageFile, ${number}> kFiles = {{
${entries}  }};
  return kFiles;
}

}  // namespace viaduct::api::web
")
file(RENAME ${OUT}.new ${OUT})
