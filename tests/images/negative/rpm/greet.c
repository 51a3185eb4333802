const char *greeting(void) { return "greetings"; }
