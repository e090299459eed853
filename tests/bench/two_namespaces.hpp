// Two threads of one program in two network namespaces, so that a sender and its receiver share memory and a clock.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace viaduct::bench {

// Runs `body` in a thread that has entered the namespace /run/netns/<name> and runs on this CPU. Ends the program with
// a message when that is not possible.
std::thread run_in_namespace(const std::string& name, unsigned cpu, std::function<void()> body);

// A UDP socket; ends the program on failure. Buffers are 8 MB.
int udp_socket(std::chrono::milliseconds read_timeout = std::chrono::milliseconds(20));
sockaddr_in address_of(const std::string& ip, uint16_t port);
void check(bool good, const char* what);

// "--name value" from the command line; ends the program when it is missing and there is no default.
std::string argument(int argc, char** argv, const std::string& name, const char* fallback = nullptr);

}  // namespace viaduct::bench
