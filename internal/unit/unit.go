// Package unit reads and writes quantities: durations, rates, sizes, shares.
// Nothing else in loadline turns a number into text for a person.
package unit
