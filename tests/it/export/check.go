// Reads an exported log with the packages note and tlog of golang.org/x/mod, which are those of the Go checksum database.
//
// For each line "<directory> <verification key>" of the standard input it prints "accepted" or "refused: <why>".
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type directory string

func (d directory) Height() int { return 8 }

func (d directory) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func (d directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		bytes, err := d.read(tile.Path())
		if err != nil {
			return nil, err
		}
		if len(bytes) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", tile.Path(), len(bytes))
		}
		data = append(data, bytes)
	}
	return data, nil
}

// The paths of the packages have the height of the tiles in them.
func (d directory) read(path string) ([]byte, error) {
	path = strings.Replace(strings.TrimPrefix(path, "tile/8/"), "data/", "entries/", 1)
	return os.ReadFile(filepath.Join(string(d), "tile", path))
}

func check(d directory, key string) error {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(string(d), "checkpoint"))
	if err != nil {
		return err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return err
	}
	lines := strings.SplitAfterN(opened.Text, "\n", 2)
	if lines[0] != verifier.Name()+"\n" {
		return fmt.Errorf("origin %q", lines[0])
	}
	// The packages know the tree's description under the name of the checksum database.
	tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + lines[1]))
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tree, d)
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("another root")
	}
	for first := int64(0); first < tree.N; first += 256 {
		if err := checkBundle(d, tree, reader, first); err != nil {
			return err
		}
	}
	return nil
}

func checkBundle(d directory, tree tlog.Tree, reader tlog.HashReader, first int64) error {
	tile := tlog.Tile{H: 8, L: -1, N: first / 256, W: 256}
	if tree.N-first < 256 {
		tile.W = int(tree.N - first)
	}
	var indexes []int64
	for i := 0; i < tile.W; i++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, first+int64(i)))
	}
	hashes, err := reader.ReadHashes(indexes)
	if err != nil {
		return err
	}
	bundle, err := d.read(tile.Path())
	if err != nil {
		return err
	}
	for i := 0; i < tile.W; i++ {
		if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
			return fmt.Errorf("the bundle from %d on is too short", first)
		}
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		if tlog.RecordHash(bundle[2:end]) != hashes[i] {
			return fmt.Errorf("entry %d is another", first+int64(i))
		}
		bundle = bundle[end:]
	}
	if len(bundle) != 0 {
		return fmt.Errorf("the bundle from %d on is too long", first)
	}
	return nil
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		place, key, _ := strings.Cut(lines.Text(), " ")
		if err := check(directory(place), key); err != nil {
			fmt.Printf("refused: %v\n", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("accepted")
		}
	}
}
