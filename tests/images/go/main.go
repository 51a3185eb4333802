// A server that answers a greeting, and the hour in a city: the second needs the zone files of the image.
package main

import (
	"fmt"
	"log"
	"net/http"
	"time"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "Hello, World!")
	})
	http.HandleFunc("/berlin", func(w http.ResponseWriter, r *http.Request) {
		zone, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, time.Date(2024, 7, 1, 12, 0, 0, 0, time.UTC).In(zone).Format(time.RFC3339))
	})
	log.Fatal(http.ListenAndServe(":8080", nil))
}
