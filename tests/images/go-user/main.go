// Asks the C library who a user is and what a host's address is, and the zone files for the hour in a city.
package main

import (
	"fmt"
	"log"
	"net"
	"os/user"
	"time"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	fmt.Println(must(user.LookupId("1")).Username, must(user.LookupGroup("staff")).Gid)
	fmt.Println(must(net.LookupHost("localhost"))[0] != "")
	zone := must(time.LoadLocation("Europe/Berlin"))
	fmt.Println(time.Date(2024, 7, 1, 12, 0, 0, 0, time.UTC).In(zone).Format(time.RFC3339))
}
