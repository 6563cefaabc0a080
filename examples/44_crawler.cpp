// SPDX-License-Identifier: MIT-0
//
// A crawler: pages are fetched in a pool, and a callback writes the address and the size of each to
// a file the moment it is there, and submits the links that nobody has seen yet. Nobody waits for
// one page in particular.
//
// The web is a table here, so that the example needs none.

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <conc/event.hpp>
#include <conc/future.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>
#include <conc/thread_pool_executor.hpp>

struct Page {
  std::string text;
  std::vector<std::string> links;
};

const std::map<std::string, Page> web{
    {"/", {"Welcome to the zoo.", {"/ants", "/bees", "/map"}}},
    {"/ants", {"They carry much.", {"/", "/bees"}}},
    {"/bees", {"They dance.", {"/", "/ants", "/honey"}}},
    {"/honey", {"Sweet.", {"/bees"}}},
    {"/map", {"You are here.", {"/", "/exit"}}},  // the last link is broken
};

Page fetch(const std::string& url) {
  const auto found = web.find(url);
  if (found == web.end()) throw std::runtime_error("404");
  return found->second;
}

class Crawler {
 public:
  // Writes a line for each page to the file.
  explicit Crawler(std::FILE* file) : file_(file) {}

  // Visits what can be reached from there; returns when all is written.
  void crawl(const std::string& start) {
    visit(start);
    finished_.wait();
  }

 private:
  void visit(const std::string& url) {
    {
      const conc::LockGuard hold(lock_);
      if (!seen_.insert(url).second) return;
    }
    ++pending_;
    pool_.submit(fetch, url).add_done_callback([this, url](const conc::Future<Page>& done) {
      if (done.exception()) {
        write(url + ": no page");
      } else {
        const Page& page = done.result();
        write(url + ": " + std::to_string(page.text.size()) + " bytes");
        for (const std::string& link : page.links) visit(link);
      }
      if (--pending_ == 0) finished_.set();
    });
  }

  // Callbacks run in the threads that fetched the pages, several at once; or in the one that adds
  // them, when a page is there already.
  void write(const std::string& line) {
    const conc::LockGuard hold(lock_);
    std::fprintf(file_, "%s\n", line.c_str());
  }

  std::FILE* const file_;
  conc::Lock lock_{"crawler"};  // guards the file and what was seen
  std::set<std::string> seen_;
  std::atomic<int> pending_{0};  // pages that were asked for and are not written
  conc::Event finished_;
  // The last member, because it is destroyed first: its destructor waits for the callbacks.
  conc::ThreadPoolExecutor pool_{{.max_workers = 3, .thread_name_prefix = "crawler"}};
};

int main() {
  std::FILE* const file = std::tmpfile();
  if (file == nullptr) return 1;
  {
    Crawler crawler(file);
    crawler.crawl("/");
  }

  // First finished, first written: so the order is another one each time, and sorted here.
  std::rewind(file);
  std::vector<std::string> lines;
  char line[80];
  while (std::fgets(line, sizeof line, file) != nullptr) lines.emplace_back(line);
  std::fclose(file);
  std::sort(lines.begin(), lines.end());
  for (const std::string& text : lines) std::fputs(text.c_str(), stdout);
}
