// Elsewhere this program only compiles.

//go:build !linux

package main

import "errors"

func start() error { return errors.New("this is a program for Linux") }

func powerOff() {}
