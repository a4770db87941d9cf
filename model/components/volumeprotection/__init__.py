"""The controllers that keep claims and volumes as long as they are in use."""
