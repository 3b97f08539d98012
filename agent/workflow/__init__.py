"""The rules of the packing bench (docs/reference/workflow.md). Pure: nothing here reads a clock, a file or a device.

Begin to read at `step.take`, which decides about one scan. `table` says which act a scan does; acts are in modules by
subject.
"""
