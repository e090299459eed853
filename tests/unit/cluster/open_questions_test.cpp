// What a host has been asked, and what it may answer.
#include "actors/cluster/open_questions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace viaduct::actors {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using Fit = OpenQuestions::Fit;
using Refusal = OpenQuestions::Refusal;

const OpenQuestions::Time kStart{1'000s};

OpenQuestions three() { return OpenQuestions({.open = 3, .of_one_asker = 2, .patience = 4s, .late = 60s}); }

TEST(OpenQuestions, EachIsAnsweredOnce) {
  OpenQuestions questions = three();
  EXPECT_EQ(questions.ask(7, "h1", kStart), std::nullopt);
  EXPECT_EQ(questions.ask(8, "h1", kStart), std::nullopt);
  EXPECT_EQ(questions.answer(9), Fit::unasked);
  EXPECT_EQ(questions.answer(7), Fit::open);
  EXPECT_EQ(questions.answer(7), Fit::unasked);
  EXPECT_EQ(questions.answer(8), Fit::open);
  EXPECT_EQ(questions.size(), 0U);
}

TEST(OpenQuestions, OneAskerLeavesRoomForOthers) {
  OpenQuestions questions = three();
  EXPECT_EQ(questions.ask(1, "h1", kStart), std::nullopt);
  EXPECT_EQ(questions.ask(2, "h1", kStart), std::nullopt);
  EXPECT_EQ(questions.ask(3, "h1", kStart), Refusal::asker_busy);
  EXPECT_EQ(questions.ask(3, "h2", kStart), std::nullopt);
  EXPECT_EQ(questions.ask(4, "h3", kStart), Refusal::host_busy);
  EXPECT_EQ(questions.answer(1), Fit::open);
  EXPECT_EQ(questions.ask(3, "h3", kStart), Refusal::number_used);
  EXPECT_EQ(questions.ask(4, "h3", kStart), std::nullopt);
  EXPECT_EQ(questions.answer(3), Fit::open) << "who used the number first has it";
}

TEST(OpenQuestions, PatienceEndsOnce) {
  OpenQuestions questions = three();
  questions.ask(1, "h1", kStart);
  questions.ask(2, "h1", kStart + 1s);
  EXPECT_THAT(questions.expire(kStart + 4s - 1ns), IsEmpty());
  EXPECT_THAT(questions.expire(kStart + 4s), ElementsAre(1));
  EXPECT_THAT(questions.expire(kStart + 5s), ElementsAre(2));
  EXPECT_THAT(questions.expire(kStart + 100s), IsEmpty());
}

// A host that stands still is asked no more than it may have open, until it answers or a minute has passed.
TEST(OpenQuestions, WhatIsLateKeepsItsPlace) {
  OpenQuestions questions = three();
  questions.ask(1, "h1", kStart);
  questions.ask(2, "h1", kStart);
  questions.ask(3, "h2", kStart);
  EXPECT_THAT(questions.expire(kStart + 4s), ElementsAre(1, 2, 3));
  EXPECT_EQ(questions.ask(4, "h3", kStart + 10s), Refusal::host_busy);
  EXPECT_EQ(questions.answer(2), Fit::late);
  EXPECT_EQ(questions.answer(2), Fit::unasked);
  EXPECT_EQ(questions.ask(4, "h3", kStart + 10s), std::nullopt);
  EXPECT_EQ(questions.ask(5, "h3", kStart + 64s - 1ns), Refusal::host_busy);
  EXPECT_EQ(questions.ask(5, "h3", kStart + 64s), std::nullopt) << "1 and 3 were forgotten";
  EXPECT_EQ(questions.answer(1), Fit::unasked);
  EXPECT_EQ(questions.answer(4), Fit::open) << "nobody has said that its patience has ended";
}

}  // namespace
}  // namespace viaduct::actors
