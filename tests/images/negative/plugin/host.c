/* Loads the library that a data file names: nothing in the image but this program's reading of it says that it is needed. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int count, char **arguments) {
    char path[256] = "";
    FILE *list = fopen(arguments[count - 1], "r");
    if (!list || !fgets(path, sizeof path, list)) return 1;
    path[strcspn(path, "\n")] = 0;
    void *plugin = dlopen(path, RTLD_NOW);
    puts(plugin ? "loaded" : dlerror());
    return !plugin;
}
