// SPDX-License-Identifier: MIT-0
//
// Ten players wait until all are there; then all go on. Each gets a number of its own from wait(),
// and one of them runs the barrier's action before anybody goes on.

#include <cstddef>
#include <cstdio>
#include <set>
#include <vector>

#include <conc/barrier.hpp>
#include <conc/thread.hpp>

int main() {
  constexpr std::size_t n = 10;
  int games = 0;
  conc::Barrier ready(n, [&games] { std::printf("all are there, game %d begins\n", ++games); });

  std::vector<std::vector<std::size_t>> numbers(2, std::vector<std::size_t>(n));
  std::vector<conc::Thread> players;
  for (std::size_t i = 0; i < n; ++i) {
    players.emplace_back([&, i] {
      for (auto& of_game : numbers) of_game[i] = ready.wait();  // a barrier is used again and again
    });
  }
  for (conc::Thread& player : players) player.start();
  for (conc::Thread& player : players) player.join();

  for (const auto& of_game : numbers) {
    const std::set<std::size_t> different(of_game.begin(), of_game.end());
    std::printf("%zu numbers, from %zu to %zu\n", different.size(), *different.begin(),
                *different.rbegin());
  }
  std::printf("%zu are waiting\n", ready.n_waiting());
}
