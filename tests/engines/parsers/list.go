// Lists tars as Go's archive/tar reads them, which is how engines read layers. In: a path a line. Out: the lines of listing.rs.
package main

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
)

const most = 1 << 24

func kind(flag byte) string {
	switch flag {
	case tar.TypeReg, tar.TypeRegA, tar.TypeCont, tar.TypeGNUSparse:
		return "f"
	case tar.TypeLink:
		return "h"
	case tar.TypeSymlink:
		return "l"
	case tar.TypeChar:
		return "c"
	case tar.TypeBlock:
		return "b"
	case tar.TypeDir:
		return "d"
	case tar.TypeFifo:
		return "p"
	}
	return fmt.Sprintf("?%02x", flag)
}

func list(path string, out *bufio.Writer) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	all := sha256.New()
	reader := tar.NewReader(strings.NewReader(string(data)))
	for {
		header, err := reader.Next()
		if err == io.EOF {
			fmt.Fprintf(out, "#\t%x\n", all.Sum(nil))
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		size, digest, kind := "-", "-", kind(header.Typeflag)
		if kind == "f" {
			size, digest = fmt.Sprint(header.Size), "big"
			if header.Size <= most {
				one := sha256.New()
				if _, err := io.Copy(io.MultiWriter(one, all), reader); err != nil {
					return err
				}
				digest = hex.EncodeToString(one.Sum(nil))
			}
		}
		link, device := "", "-"
		if kind == "l" || kind == "h" {
			link = header.Linkname
		}
		if kind == "c" || kind == "b" {
			device = fmt.Sprintf("%d,%d", header.Devmajor, header.Devminor)
		}
		var attributes []string
		for key, value := range header.PAXRecords {
			if strings.HasPrefix(key, "SCHILY.xattr.") {
				attributes = append(attributes, fmt.Sprintf("%x=%x", strings.TrimPrefix(key, "SCHILY.xattr."), value))
			}
		}
		sort.Strings(attributes)
		fmt.Fprintf(out, "%s\t%o\t%d:%d\t%d.%09d\t%s\t%x\t%x\t%x:%x\t%s\t%s\t%s\n", kind, header.Mode&07777, header.Uid, header.Gid,
			header.ModTime.Unix(), header.ModTime.Nanosecond(), size, header.Name, link, header.Uname, header.Gname, device, digest,
			strings.Join(attributes, ","))
	}
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	paths := bufio.NewScanner(os.Stdin)
	for paths.Scan() {
		fmt.Fprintf(out, "=\t%s\n", paths.Text())
		if err := list(paths.Text(), out); err != nil {
			fmt.Fprintf(out, "!\t%x\n", err.Error())
		}
	}
}
