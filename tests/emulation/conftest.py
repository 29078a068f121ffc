"""The apps are projects of their own, and no tests."""

collect_ignore = ["app", "app_that_hangs"]
