// Counts the nodes of a map with the library itself.
#include <iostream>
#include <osmium/io/any_input.hpp>

int main(int, char** argv) {
    int nodes = 0;
    osmium::io::Reader reader{argv[1]};
    while (const osmium::memory::Buffer buffer = reader.read()) {
        for (const auto& item : buffer) {
            nodes += item.type() == osmium::item_type::node;
        }
    }
    std::cout << "nodes " << nodes << '\n';
}
