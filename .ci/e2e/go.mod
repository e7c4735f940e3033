module github.com/loadline-ci/loadline/ci/e2e

go 1.26.0
