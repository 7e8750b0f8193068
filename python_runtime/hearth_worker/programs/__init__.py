"""Programs: what a task does, as steps. Third parties add theirs as entry points of the group `hearth.programs`."""
