#include "actors/agent/port_bindings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flows/datapath/fake.hpp"

namespace viaduct::actors {
namespace {

using flows::FakeKernel;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

PortId port(uint64_t number) { return PortId(Uuid::from_words(0, number)); }

class PortBindingsTest : public testing::Test {
 protected:
  PortBindingsTest() {
    for (const char* name : {"a", "b", "c"}) kernel->add_interface(name);
  }
  ReconcileBindings all(std::vector<ReconcileBindings::Binding> bind) { return {std::move(bind), {}, true}; }
  std::vector<std::string> in_datapath() {
    std::vector<std::string> out;
    for (const auto& found : datapath->ports()) out.push_back(found.interface);
    return out;
  }
  std::string reason(PortId id) {
    for (const auto& line : bindings.report()) {
      if (line.port == id) return line.active ? "active" : line.reason;
    }
    return "unknown";
  }
  std::shared_ptr<FakeKernel> kernel = std::make_shared<FakeKernel>();
  std::unique_ptr<flows::Datapath> datapath = flows::open_fake(kernel, {});
  PortBindings bindings{*datapath};
};

TEST_F(PortBindingsTest, WhatIsWantedIsBoundAndWhatIsNoLongerWantedIsReleased) {
  EXPECT_THAT(bindings.reconcile(all({{port(1), "a"}, {port(2), "b"}})), UnorderedElementsAre(port(1), port(2)));
  EXPECT_THAT(in_datapath(), UnorderedElementsAre("a", "b"));
  EXPECT_EQ(reason(port(1)), "active");
  EXPECT_THAT(bindings.reconcile(all({{port(2), "b"}, {port(3), "c"}})), UnorderedElementsAre(port(1), port(3)));
  EXPECT_THAT(in_datapath(), UnorderedElementsAre("b", "c"));
  EXPECT_THAT(bindings.reconcile({{}, {port(2)}, false}), ElementsAre(port(2)));
  EXPECT_THAT(in_datapath(), ElementsAre("c"));
  EXPECT_EQ(bindings.active().size(), 1);
}

TEST_F(PortBindingsTest, TheSameWishAgainChangesNothing) {
  bindings.reconcile(all({{port(1), "a"}}));
  EXPECT_THAT(bindings.reconcile(all({{port(1), "a"}})), IsEmpty());
  EXPECT_THAT(bindings.refresh(), IsEmpty());
}

TEST_F(PortBindingsTest, AnInterfaceThatIsNotThereYetIsBoundWhenItComes) {
  EXPECT_THAT(bindings.reconcile(all({{port(1), "late"}})), IsEmpty());
  EXPECT_THAT(reason(port(1)), HasSubstr("no interface late on this host"));
  kernel->add_interface("late");
  EXPECT_THAT(bindings.refresh(), ElementsAre(port(1)));
  EXPECT_EQ(reason(port(1)), "active");
}

TEST_F(PortBindingsTest, AnInterfaceThatGoesAndComesAgainIsBoundAgain) {
  bindings.reconcile(all({{port(1), "a"}, {port(2), "b"}}));
  kernel->remove_interface("a");
  EXPECT_THAT(bindings.refresh(), ElementsAre(port(1)));
  EXPECT_EQ(bindings.active().find(port(1)), nullptr);
  EXPECT_THAT(reason(port(1)), HasSubstr("no interface a"));
  EXPECT_THAT(bindings.refresh(), IsEmpty());
  kernel->add_interface("a");
  EXPECT_THAT(bindings.refresh(), ElementsAre(port(1)));
  ASSERT_NE(bindings.active().find(port(1)), nullptr);
  EXPECT_THAT(in_datapath(), UnorderedElementsAre("a", "b"));
}

TEST_F(PortBindingsTest, AnInterfaceReplacedBetweenTwoLooksGetsWhatTheDatapathSays) {
  bindings.reconcile(all({{port(1), "a"}}));
  kernel->remove_interface("a");
  kernel->add_interface("a");
  bindings.refresh();
  EXPECT_EQ(reason(port(1)), "active");
  EXPECT_THAT(in_datapath(), ElementsAre("a"));
}

TEST_F(PortBindingsTest, ALinkThatIsDownMakesThePortInactive) {
  bindings.reconcile(all({{port(1), "a"}}));
  kernel->set_link("a", FakeKernel::Link::down);
  EXPECT_THAT(bindings.refresh(), ElementsAre(port(1)));
  EXPECT_EQ(reason(port(1)), "the link of a is down");
  EXPECT_THAT(in_datapath(), ElementsAre("a")) << "it stays ours";
  kernel->set_link("a", FakeKernel::Link::up);
  EXPECT_THAT(bindings.refresh(), ElementsAre(port(1)));
}

TEST_F(PortBindingsTest, APortMovesToAnotherInterface) {
  bindings.reconcile(all({{port(1), "a"}}));
  auto first = *bindings.active().find(port(1));
  auto rebound = bindings.reconcile({{{port(1), "b"}}, {}, false});
  EXPECT_THAT(rebound, testing::Contains(port(1)));
  EXPECT_NE(*bindings.active().find(port(1)), first);
  EXPECT_THAT(in_datapath(), ElementsAre("b"));
}

TEST_F(PortBindingsTest, TwoPortsSwapTheirInterfaces) {
  bindings.reconcile(all({{port(1), "a"}, {port(2), "b"}}));
  bindings.reconcile({{{port(1), "b"}, {port(2), "a"}}, {}, false});
  EXPECT_THAT(in_datapath(), UnorderedElementsAre("a", "b"));
  ASSERT_NE(bindings.active().find(port(1)), nullptr);
  ASSERT_NE(bindings.active().find(port(2)), nullptr);
  EXPECT_NE(*bindings.active().find(port(1)), *bindings.active().find(port(2)));
  for (const auto& line : bindings.report()) {
    for (const auto& found : datapath->ports()) {
      if (found.number == line.number) {
        EXPECT_EQ(found.interface, line.interface);
      }
    }
  }
}

TEST_F(PortBindingsTest, ADatapathThatRefusesIsAskedAgainAndTheOperatorIsTold) {
  kernel->enslave("a");
  EXPECT_THAT(bindings.reconcile(all({{port(1), "a"}})), IsEmpty());
  EXPECT_THAT(reason(port(1)), HasSubstr("belongs to a Linux bridge"));
  kernel->remove_interface("a");
  kernel->add_interface("a");
  EXPECT_THAT(bindings.refresh(), ElementsAre(port(1)));
}

TEST_F(PortBindingsTest, ARestartLeavesTunnelsToWhoeverMakesThem) {
  std::error_code error;
  auto tunnel = datapath->add_tunnel_port({flows::TunnelKind::vxlan, 4789}, error);
  ASSERT_FALSE(error) << error.message();
  PortBindings next{*datapath};
  next.reconcile(all({{port(1), "a"}}));
  EXPECT_THAT(in_datapath(), UnorderedElementsAre("a", tunnel.interface));
}

TEST_F(PortBindingsTest, ARestartKeepsTheNumbersAndReleasesStrangers) {
  bindings.reconcile(all({{port(1), "a"}, {port(2), "b"}}));
  auto number = *bindings.active().find(port(2));
  datapath = flows::open_fake(kernel, {});
  PortBindings next(*datapath);
  next.reconcile(all({{port(2), "b"}}));
  EXPECT_EQ(*next.active().find(port(2)), number) << "or every adopted flow would be wrong";
  EXPECT_THAT(in_datapath(), ElementsAre("b"));
}

}  // namespace
}  // namespace viaduct::actors
