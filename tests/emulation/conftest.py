"""The app in `app/` is a project of its own, and no test."""

collect_ignore = ["app"]
