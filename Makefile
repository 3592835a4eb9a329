# The usual commands. .ci/run runs everything that must hold before a change lands.

.PHONY: build test race lint fuzz bench ci

build:
	CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o maturitybot ./cmd/maturitybot

test:
	go test ./...

race:
	go test -race -p 1 -timeout 40m -skip '^TestChaos$$' ./... # TestChaos: see .ci/run

lint:
	.ci/lint

fuzz:
	.ci/fuzz

bench:
	go test -run '^$$' -bench . -benchtime 1x -short -timeout 10m ./...

ci:
	.ci/run
