"""The machine: exact inference, and the execution core that contracts run on."""
